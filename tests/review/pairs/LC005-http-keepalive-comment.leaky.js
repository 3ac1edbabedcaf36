const http = require('http');

function comments(res) {
  const beat = setInterval(() => res.write(': still here\n\n'), 15_000); // expect: LC005
  return () => clearInterval(beat);
}

http
  .createServer((req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    res.write('retry: 2000\n\n');
    comments(res);
    res.on('close', () => {
      console.log('%s hung up', req.socket.remoteAddress);
    });
  })
  .listen(process.env.PORT || 8080);
