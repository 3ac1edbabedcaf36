import { createServer } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import { Hub } from './hub';
import { follow } from './feed';
import { logTo, report } from './métriques';

const server = createServer();
const wss = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 });
const hub = new Hub();
const names = new Map<WebSocket, string>();

server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => socket.destroy());
  if (request.url !== '/ws') return;
  wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request));
});

wss.on('connection', (ws, request) => {
  names.set(ws, request.headers['x-name'] as string);
  const beat = setInterval(() => ws.ping(), 30_000);
  if (process.env.METRICS_URL) setInterval(() => report(ws.bufferedAmount), 10_000);
  const stop = follow(ws);

  ws.on('message', (data) => {
    let message;
    try {
      message = JSON.parse(data.toString());
    } catch {
      return ws.close(1003);
    }
    if (message.type === 'subscribe') hub.subscribe(ws, message.matchId);
    if (message.type === 'rename') names.set(ws, message.name);
  });
  ws.on('error', (error) => console.error('über die Leitung 😀', error)); logTo(ws);
  ws.on('close', (code) => {
    clearInterval(beat);
    stop();
    if (code === 1000) names.delete(ws);
    hub.leave(ws);
  });
});

server.listen(8000);
