// clean
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import * as rooms from './rooms.mjs';
import { wire } from './lifecycle.mjs';

const server = createServer((req, res) => {
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify(rooms.census()));
});

const wss = new WebSocketServer({ server });

wss.on('connection', (ws, req) => {
  const room = (req.url ?? '/').slice(1, 33) || 'lobby';
  rooms.enter(room, ws);
  wire(ws, room);
});

server.listen(process.env.PORT ?? 8080);
