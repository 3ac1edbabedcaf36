// clean
const { WebSocketServer, WebSocket } = require('ws');

const wss = new WebSocketServer({ port: process.env.PORT || 8080 });
const history = [];
const KEEP = 200;

wss.on('connection', (ws) => {
  ws.send(JSON.stringify(history.slice(-50)));
  ws.on('error', () => ws.terminate());
  ws.on('message', (data) => {
    const line = { at: Date.now(), text: data.toString() };
    history.push(line);
    if (history.length > KEEP) history.shift();
    wss.clients.forEach((peer) => {
      if (peer.readyState === WebSocket.OPEN) peer.send(JSON.stringify([line]));
    });
  });
});
