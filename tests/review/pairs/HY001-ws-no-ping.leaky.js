const { WebSocketServer } = require('ws');

const port = Number(process.env.PORT) || 8080;
const wss = new WebSocketServer({ port, maxPayload: 65536 }); // expect: HY001

wss.on('connection', (ws) => {
  ws.on('error', (err) => console.error(err.message));
  ws.on('message', (data) => ws.send(data));
});
