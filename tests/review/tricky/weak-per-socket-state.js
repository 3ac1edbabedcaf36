// clean
const { WebSocketServer } = require('ws');

const wss = new WebSocketServer({ port: process.env.PORT || 8080 });

const profiles = new WeakMap();
const muted = new WeakSet();
let live = 0;
const collected = new FinalizationRegistry(() => { live -= 1; });

wss.on('connection', (ws, req) => {
  profiles.set(ws, { ip: req.socket.remoteAddress, said: 0 });
  collected.register(ws, undefined);
  live += 1;

  ws.on('error', (e) => console.error(e.message));
  ws.on('message', (data) => {
    const profile = profiles.get(ws);
    if (++profile.said > 100) muted.add(ws);
    if (muted.has(ws)) return;
    for (const other of wss.clients) {
      if (other.readyState === other.OPEN) other.send(`${profile.ip}: ${data}`);
    }
  });
});
