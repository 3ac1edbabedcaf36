// clean: all
const { WebSocketServer } = require('ws');

const port = Number(process.env.PORT) || 8080;
const wss = new WebSocketServer({ port, maxPayload: 65536 });
const alive = new WeakMap();

wss.on('connection', (ws) => {
  alive.set(ws, true);
  ws.on('pong', () => alive.set(ws, true));
  ws.on('error', (err) => console.error(err.message));
  ws.on('message', (data) => ws.send(data));
});

const beat = setInterval(() => {
  for (const ws of wss.clients) {
    if (!alive.get(ws)) {
      ws.terminate();
      continue;
    }
    alive.set(ws, false);
    ws.ping();
  }
}, 30000);
wss.on('close', () => clearInterval(beat));
