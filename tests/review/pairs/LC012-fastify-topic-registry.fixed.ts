// clean
import Fastify from 'fastify';
import websocket from '@fastify/websocket';
import type { WebSocket } from 'ws';

class TopicRegistry {
  private readonly byTopic = new Map<string, Set<WebSocket>>();
  private readonly bySocket = new Map<WebSocket, Set<string>>();

  follow(socket: WebSocket, topic: string): void {
    const sockets = this.byTopic.get(topic);
    if (sockets) sockets.add(socket);
    else this.byTopic.set(topic, new Set([socket]));
    const topics = this.bySocket.get(socket) ?? new Set();
    this.bySocket.set(socket, topics.add(topic));
  }

  unfollow(socket: WebSocket, topic: string): void {
    const topics = this.bySocket.get(socket);
    if (!topics?.delete(topic)) return;
    this.dropFromTopic(socket, topic);
    if (topics.size === 0) this.bySocket.delete(socket);
  }

  forget(socket: WebSocket): void {
    for (const topic of this.bySocket.get(socket) ?? []) this.dropFromTopic(socket, topic);
    this.bySocket.delete(socket);
  }

  private dropFromTopic(socket: WebSocket, topic: string): void {
    const sockets = this.byTopic.get(topic);
    if (sockets?.delete(socket) && sockets.size === 0) this.byTopic.delete(topic);
  }
}

const registry = new TopicRegistry();
const app = Fastify();
await app.register(websocket);

app.register(async (scope) => {
  scope.get('/topics', { websocket: true }, (socket) => {
    socket.on('message', (raw) => {
      const text = raw.toString();
      if (text.startsWith('-')) registry.unfollow(socket, text.slice(1));
      else registry.follow(socket, text);
    });
    socket.on('close', () => registry.forget(socket));
  });
});

await app.listen({ port: Number(process.env.PORT ?? 3000) });
