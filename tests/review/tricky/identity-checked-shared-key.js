// clean
const http = require('http');
const { WebSocketServer } = require('ws');

const server = http.createServer();
const wss = new WebSocketServer({ server });
const active = new Map();

// One screen a user: a new one takes over, and the old one's late close must not undo that.
wss.on('connection', (ws, req) => {
  const user = String(req.headers['x-user'] || 'guest');
  const previous = active.get(user);
  active.set(user, ws);
  if (previous) previous.close(4001, 'opened elsewhere');

  ws.on('error', () => {});
  ws.on('message', (data) => {
    const current = active.get(user);
    if (current) current.send(data.toString());
  });
  ws.on('close', () => {
    const current = active.get(user);
    if (current !== ws) return;
    active.delete(user);
  });
});

server.listen(process.env.PORT || 8080);
