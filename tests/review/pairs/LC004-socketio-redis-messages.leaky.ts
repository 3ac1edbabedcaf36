import { createServer } from 'node:http';
import Redis from 'ioredis';
import { Server, type Socket } from 'socket.io';

const subscriber = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379');
subscriber.on('error', (error) => console.error('redis', error.message));
await subscriber.subscribe('prices');

const httpServer = createServer();
const io = new Server(httpServer, { transports: ['websocket'] });

function forward(socket: Socket): () => void {
  const handler = (channel: string, message: string): void => {
    if (socket.data.channels?.has(channel)) socket.emit('price', message);
  };
  subscriber.on('message', handler); // expect: LC004
  return () => subscriber.off('message', handler);
}

io.on('connection', (socket) => {
  socket.data.channels = new Set(['prices']);
  forward(socket);
  socket.on('disconnect', () => socket.data.channels.clear());
});

httpServer.listen(Number(process.env.PORT ?? 3000));
