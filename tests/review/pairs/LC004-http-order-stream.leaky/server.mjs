import http from 'node:http';
import { orders } from './orders-feed.mjs';

const server = http.createServer((req, res) => {
  if (!req.url.startsWith('/orders')) return res.writeHead(404).end();

  const wanted = new URLSearchParams(req.url.split('?')[1]).get('customer');
  res.writeHead(200, { 'Content-Type': 'application/x-ndjson' });

  function push(order) {
    if (wanted === null || order.customer === wanted) res.write(JSON.stringify(order) + '\n');
  }

  orders.addListener('placed', push); // expect: LC004
});

server.listen(process.env.PORT ?? 8080);
