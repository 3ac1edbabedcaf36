// clean
const { createServer } = require('http');
const { finished } = require('stream');

const subscribers = new Set();
let id = 0;

const server = createServer((req, res) => {
  if (req.url === '/publish' && req.method === 'POST') {
    req.setEncoding('utf8');
    let body = '';
    req.on('data', (text) => {
      body = (body + text).slice(0, 10_000);
    });
    req.on('end', () => {
      id += 1;
      for (const s of subscribers) s.write(`id: ${id}\ndata: ${JSON.stringify(body)}\n\n`);
      res.writeHead(202).end();
    });
    req.on('error', () => res.destroy());
    return;
  }
  res.writeHead(200, { 'Content-Type': 'text/event-stream' });
  res.write('\n');
  subscribers.add(res);
  const beat = setInterval(() => res.write(':\n\n'), 20_000);
  finished(res, () => {
    clearInterval(beat);
    subscribers.delete(res);
  });
});

server.listen(process.env.PORT || 8080);
