// clean
const { WebSocketServer } = require('ws');

const wss = new WebSocketServer({ port: process.env.PORT || 8080 });

wss.on('connection', function (ws) {
  let heartbeat;

  ws.on('error', function () { ws.terminate(); });

  heartbeat = setInterval(function () {
    ws.ping();
  }, 10000);

  ws.on('close', function () {
    clearInterval(heartbeat);
  });
});
