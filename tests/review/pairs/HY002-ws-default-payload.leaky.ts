import { createServer } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';

const server = createServer();
const wss = new WebSocketServer({ server }); // expect: HY002
const missed = new WeakMap<WebSocket, number>();

wss.on('connection', (ws) => {
  missed.set(ws, 0);
  ws.on('pong', () => missed.set(ws, 0));
  ws.on('error', () => ws.terminate());
  ws.on('message', (data) => ws.send(`${data.toString().length}`));
});

const pinger = setInterval(() => {
  wss.clients.forEach((ws) => {
    const count = (missed.get(ws) ?? 0) + 1;
    if (count > 2) return ws.terminate();
    missed.set(ws, count);
    ws.ping();
  });
}, 20_000);

wss.on('close', () => clearInterval(pinger));
server.listen(Number(process.env.PORT ?? 8080));
