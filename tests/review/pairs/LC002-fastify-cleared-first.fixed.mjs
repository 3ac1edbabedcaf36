// clean
import Fastify from 'fastify';
import websocket from '@fastify/websocket';

const app = Fastify();
await app.register(websocket);

/** channel name -> Set<socket> */
const channels = new Map();

app.register(async (instance) => {
  instance.get('/live', { websocket: true }, (socket) => {
    const joined = new Set();

    socket.on('message', (raw) => {
      const channel = raw.toString().slice(0, 64);
      let members = channels.get(channel);
      if (members === undefined) channels.set(channel, (members = new Set()));
      members.add(socket);
      joined.add(channel);
    });

    socket.on('close', () => {
      joined.forEach((channel) => {
        const members = channels.get(channel);
        members.delete(socket);
        if (members.size === 0) channels.delete(channel);
      });
      joined.clear();
    });
  });
});

await app.listen({ port: Number(process.env.PORT ?? 3000) });
