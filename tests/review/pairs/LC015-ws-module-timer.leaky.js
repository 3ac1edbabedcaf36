const { WebSocketServer } = require('ws');

const wss = new WebSocketServer({ port: process.env.PORT || 8080 });

let heartbeat;

wss.on('connection', function (ws) {
  ws.on('error', function () { ws.terminate(); });

  heartbeat = setInterval(function () { // expect: LC015
    ws.ping();
  }, 10000);

  ws.on('close', function () {
    clearInterval(heartbeat);
  });
});
