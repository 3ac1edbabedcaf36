import Fastify from 'fastify';
import websocket from '@fastify/websocket';

const fastify = Fastify({ logger: false });
await fastify.register(websocket, { options: { maxPayload: 4096 } });

const watchers = new Map(); // connection number -> { socket, symbols }
let nextId = 0;

fastify.register(async function quotes(scope) {
  scope.get('/quotes', { websocket: true }, (socket, request) => {
    const id = ++nextId;
    watchers.set(id, { socket, symbols: new Set(), ip: request.ip }); // expect: LC001

    socket.on('message', (data) => {
      const symbol = data.toString().trim().toUpperCase();
      if (/^[A-Z]{1,5}$/.test(symbol)) watchers.get(id).symbols.add(symbol);
    });
  });
});

fastify.post('/quotes/:symbol', async (request) => {
  let sent = 0;
  for (const { socket, symbols } of watchers.values()) {
    if (symbols.has(request.params.symbol) && socket.readyState === 1) {
      socket.send(JSON.stringify(request.body));
      sent++;
    }
  }
  return { sent };
});

await fastify.listen({ port: Number(process.env.PORT ?? 3000) });
