// clean: all
const { WebSocketServer } = require('ws');

const wss = new WebSocketServer({ port: process.env.PORT || 8080, maxPayload: 512 });
const sessions = new Map();

wss.on('connection', (ws) => {
  const session = { started: Date.now(), alive: true };
  sessions.set(ws, session);

  const finish = () => {
    sessions.delete(ws);
    console.log('session of %d ms', Date.now() - session.started);
  };

  ws.on('close', finish);
  ws.on('pong', () => { session.alive = true; });
  ws.on('message', (data) => ws.send(data.toString()));
  ws.on('error', () => ws.terminate());
});

const tick = setInterval(() => {
  for (const [ws, session] of sessions) {
    if (!session.alive) ws.terminate();
    session.alive = false;
    ws.ping();
  }
}, 30000);
wss.on('close', () => clearInterval(tick));
