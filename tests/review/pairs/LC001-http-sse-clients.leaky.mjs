import { createServer } from 'node:http';

const streams = new Map();

createServer((req, res) => {
  if (req.url === '/events') {
    const id = crypto.randomUUID();
    res.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      connection: 'keep-alive',
    });
    res.write(`event: hello\ndata: ${id}\n\n`);
    streams.set(id, res); // expect: LC001
    return;
  }
  if (req.url === '/deploy' && req.method === 'POST') {
    for (const stream of streams.values()) stream.write('event: deploy\ndata: {}\n\n');
    res.writeHead(202).end();
    return;
  }
  res.writeHead(404).end();
}).listen(process.env.PORT ?? 8080);
