// clean
import Fastify from 'fastify';
import websocket from '@fastify/websocket';

const fastify = Fastify({ logger: { level: 'warn' } });

await fastify.register(websocket, {
  options: { maxPayload: 1 << 15 },
  preClose(done) {
    for (const socket of this.websocketServer.clients) socket.close(1001, 'server going away');
    this.websocketServer.close(done);
  },
});

fastify.decorate('listeners', new Set());

fastify.register(async function radio(scope) {
  scope.addHook('preClose', async () => scope.listeners.clear());

  scope.route({
    method: 'GET',
    url: '/radio',
    handler: (request, reply) => reply.send({ listeners: scope.listeners.size }),
    wsHandler: (socket, request) => {
      const listener = { socket, ip: request.ip, paused: false };
      scope.listeners.add(listener);
      socket.on('message', (data) => {
        listener.paused = data.toString() === 'pause';
      });
      socket.on('close', () => scope.listeners.delete(listener));
    },
  });
});

const jingle = setInterval(() => {
  for (const { socket, paused } of fastify.listeners) {
    if (!paused && socket.readyState === 1) socket.send('la la la');
  }
}, 10_000);
fastify.addHook('onClose', async () => clearInterval(jingle));

await fastify.listen({ port: Number(process.env.PORT ?? 3000) });
