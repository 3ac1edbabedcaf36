import Fastify from 'fastify';
import websocket from '@fastify/websocket';
import pg from 'pg';

const pool = new pg.Pool({ max: 50 });
pool.on('error', (error) => console.error(error));
const fastify = Fastify();
await fastify.register(websocket);

fastify.register(async (app) => {
  app.get('/sql', { websocket: true }, (socket) => {
    const leased = pool.connect(); // expect: LC006
    leased.catch(() => socket.close(1011, 'no database'));

    socket.on('message', async (text) => {
      try {
        const client = await leased;
        const { rows } = await client.query('select * from run_named($1)', [text.toString()]);
        socket.send(JSON.stringify(rows));
      } catch (error) {
        socket.send(JSON.stringify({ error: error.message }));
      }
    });
    socket.on('close', () => {
      fastify.log.info('console closed');
    });
  });
});

await fastify.listen({ port: Number(process.env.PORT ?? 3000) });
