// clean
import { createServer } from 'node:http';
import { LRUCache } from 'lru-cache';
import { WebSocketServer } from 'ws';

const recent = new LRUCache({ max: 500, ttl: 1000 * 60 * 10 });
const requests = new LRUCache({ max: 2000 });

const server = createServer((req, res) => {
  requests.set(req.socket.remoteAddress, (requests.get(req.socket.remoteAddress) ?? 0) + 1);
  res.end(JSON.stringify([...recent.keys()]));
});

const wss = new WebSocketServer({ server });
let serial = 0;

wss.on('connection', (ws, req) => {
  const visit = { id: ++serial, from: req.socket.remoteAddress, words: 0 };
  recent.set(visit.id, visit);
  ws.on('message', (data) => {
    visit.words += data.toString().split(/\s+/).length;
    recent.set(visit.id, visit);
  });
  ws.on('error', (error) => console.error(error.message));
});

server.listen(process.env.PORT ?? 8080);
