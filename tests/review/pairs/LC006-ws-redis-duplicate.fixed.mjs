// clean
import { createServer } from 'node:http';
import { createClient } from 'redis';
import { WebSocketServer } from 'ws';

const redis = createClient({ url: process.env.REDIS_URL });
redis.on('error', (error) => console.error('redis:', error.message));
await redis.connect();

const server = createServer();
const wss = new WebSocketServer({ server, path: '/rooms' });

wss.on('connection', (ws, req) => {
  const room = new URLSearchParams(req.url.split('?')[1]).get('room') ?? 'main';
  const listener = redis.duplicate();
  listener.on('error', (error) => ws.close(1011, error.message.slice(0, 100)));
  listener
    .connect()
    .then(() => listener.subscribe(room, (text) => ws.send(text)))
    .catch(() => ws.terminate());

  ws.on('error', () => ws.terminate());
  ws.on('message', (data) => redis.publish(room, data.toString()).catch(console.error));
  ws.on('close', () => {
    console.log('left', room);
    if (listener.isOpen) listener.destroy();
  });
});

server.listen(process.env.PORT ?? 8080);
