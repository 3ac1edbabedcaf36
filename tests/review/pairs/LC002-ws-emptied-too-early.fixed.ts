// clean
import { randomUUID } from 'node:crypto';
import { WebSocketServer, type WebSocket } from 'ws';

const rooms = new Map<string, Set<WebSocket>>();
const wss = new WebSocketServer({ port: Number(process.env.PORT ?? 8080) });

function enter(roomId: string, socket: WebSocket): void {
  const room = rooms.get(roomId) ?? new Set<WebSocket>();
  rooms.set(roomId, room);
  room.add(socket);
}

function leave(roomId: string, socket: WebSocket): void {
  const room = rooms.get(roomId);
  if (!room) return;
  room.delete(socket);
  if (room.size === 0) {
    rooms.delete(roomId);
  }
}

wss.on('connection', (socket) => {
  const roomId = randomUUID();
  enter(roomId, socket);
  socket.send(`invite:${roomId}`);
  socket.on('error', () => socket.terminate());
  socket.on('close', () => leave(roomId, socket));
});
