import http from 'node:http';
import net from 'node:net';

const backends = { '/chat': 9101, '/live': 9102 };

const server = http.createServer((req, res) => res.writeHead(404).end());

server.on('upgrade', (req, socket, head) => { // expect: LC010
  socket.on('error', () => socket.destroy());
  const port = Object.hasOwn(backends, req.url) ? backends[req.url] : 0;
  if (port) {
    const upstream = net.connect(port, '127.0.0.1', () => {
      upstream.write(`GET ${req.url} HTTP/1.1\r\n`);
      for (let i = 0; i < req.rawHeaders.length; i += 2) {
        upstream.write(`${req.rawHeaders[i]}: ${req.rawHeaders[i + 1]}\r\n`);
      }
      upstream.write('\r\n');
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    upstream.on('close', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
  } else {
    console.log('no backend for %s', req.url);
  }
});

server.listen(process.env.PORT ?? 8080);
