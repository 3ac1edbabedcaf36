var http = require('http');
var WebSocketServer = require('websocket').server;

var httpServer = http.createServer(function (req, res) { res.writeHead(426); res.end(); });
var wsServer = new WebSocketServer({ httpServer: httpServer, maxReceivedMessageSize: 4096 });

wsServer.on('request', function (request) {
  var connection = request.accept(null, request.origin);
  var left = 3600;
  setInterval(function () { // expect: LC005
    left -= 1;
    connection.sendUTF(String(left));
  }, 1000);

  connection.on('message', function () { left += 60; });
});

httpServer.listen(process.env.PORT || 8080);
