import http from 'node:http';
import { WebSocketServer } from 'ws';

const server = http.createServer((req, res) => {
  const ws = userSockets.get(req.url.slice(1));
  if (ws) ws.send('ding');
  res.writeHead(ws ? 204 : 404).end();
});
const wss = new WebSocketServer({ server });
const userSockets = new Map();

// A user who opens a second tab is rung in that one.
wss.on('connection', (ws, req) => {
  const user = req.headers['x-user'] ?? 'anonymous';
  userSockets.set(user, ws); // expect: LC013
  ws.on('error', (error) => console.error(user, error.message));
  ws.on('close', () => {
    userSockets.delete(user);
  });
});

server.listen(process.env.PORT ?? 8080);
