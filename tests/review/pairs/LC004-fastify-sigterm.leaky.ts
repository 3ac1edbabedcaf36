import Fastify, { type FastifyInstance } from 'fastify';
import websocket from '@fastify/websocket';

async function buildApp(): Promise<FastifyInstance> {
  const app = Fastify({ logger: true });
  await app.register(websocket, { options: { maxPayload: 1 << 16 } });

  app.register(async (routes) => {
    routes.get('/jobs/:id/log', { websocket: true }, (socket, request) => {
      const sayGoodbye = () => socket.close(1012, 'restarting');
      process.on('SIGTERM', sayGoodbye); // expect: LC004
      socket.on('message', () => request.log.debug('client spoke'));
      socket.send('log follows');
    });
  });
  return app;
}

const app = await buildApp();
await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' });
