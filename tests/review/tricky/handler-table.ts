// clean
import { WebSocketServer, type RawData, type WebSocket } from 'ws';

type Handlers = {
  message(this: WebSocket, data: RawData): void;
  close(this: WebSocket, code: number): void;
  error(this: WebSocket, error: Error): void;
};

const players = new Map<WebSocket, { points: number }>();

const handlers: Handlers = {
  message(data) {
    const player = players.get(this);
    if (player) player.points += data.toString().length;
  },
  close() {
    players.delete(this);
  },
  error(error) {
    console.error(error.message);
    this.terminate();
  },
};

const wss = new WebSocketServer({ port: Number(process.env.PORT ?? 8080) });

wss.on('connection', (socket) => {
  players.set(socket, { points: 0 });
  for (const [event, handler] of Object.entries(handlers)) socket.on(event, handler);
});

process.once('SIGTERM', () => {
  for (const socket of players.keys()) socket.close(1001);
  wss.close();
});
