// clean
var http = require('http');
var WebSocketServer = require('websocket').server;

var server = http.createServer(function (request, response) {
  response.writeHead(404);
  response.end();
});
server.listen(process.env.PORT || 8080);

var clients = [];

var wsServer = new WebSocketServer({ httpServer: server, autoAcceptConnections: false });

wsServer.on('request', function (request) {
  if (request.resourceURL.pathname !== '/lobby') {
    request.reject(404);
    return;
  }
  var connection = request.accept(null, request.origin);
  clients.push(connection);

  connection.on('message', function (message) {
    if (message.type !== 'utf8') return;
    for (var i = 0; i < clients.length; i++) clients[i].sendUTF(message.utf8Data);
  });

  connection.on('close', function (reasonCode) {
    console.log(connection.remoteAddress + ' disconnected (' + reasonCode + ')');
    var at = clients.indexOf(connection);
    if (at !== -1) clients.splice(at, 1);
  });
});
