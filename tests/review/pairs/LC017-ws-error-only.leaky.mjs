import { WebSocketServer } from 'ws';

const probes = new Set();

new WebSocketServer({ port: process.env.PORT ?? 8080 }).on('connection', (ws, { headers }) => {
  const probe = { ws, agent: headers['user-agent'], results: 0 };
  const drop = () => probes.delete(probe);
  probes.add(probe); // expect: LC017
  ws.on('message', () => probe.results++);
  ws.once('error', drop);
});

setInterval(() => {
  for (const { agent, results } of probes) console.log(agent, results);
}, 60_000);
