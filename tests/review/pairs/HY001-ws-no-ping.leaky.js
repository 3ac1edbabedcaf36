const { WebSocketServer } = require('ws');

const wss = new WebSocketServer({ port: process.env.PORT || 8080, maxPayload: 65536 }); // expect: HY001

wss.on('connection', (ws) => {
  ws.on('error', (err) => console.error(err.message));
  ws.on('message', (data) => ws.send(data));
});
