import Fastify from 'fastify';
import websocket from '@fastify/websocket';
import type { WebSocket } from 'ws';
import { mayRead } from './acl.js';

const app = Fastify();
await app.register(websocket);

const documents = new Map<string, Set<WebSocket>>();

async function open(socket: WebSocket, user: string, id: string): Promise<void> {
  if (!(await mayRead(user, id))) {
    socket.send(`denied ${id}`);
    return;
  }
  let readers = documents.get(id);
  if (!readers) documents.set(id, (readers = new Set()));
  readers.add(socket); // expect: LC008
  socket.send(`opened ${id}`);
}

function closeAll(socket: WebSocket): void {
  for (const [id, readers] of documents) {
    readers.delete(socket);
    if (readers.size === 0) documents.delete(id);
  }
}

app.register(async (scope) => {
  scope.get('/documents', { websocket: true }, (socket, request) => {
    const user = String(request.headers['x-user'] ?? 'nobody');
    socket.on('close', () => closeAll(socket));
    socket.on('message', (raw) => {
      open(socket, user, raw.toString()).catch((error) => request.log.error(error));
    });
  });
});

await app.listen({ port: Number(process.env.PORT ?? 3000) });
