// An event loop that is blocked, or has its work done elsewhere, when a client asks for it; the
// answer says when, by the monotonic clock.
'use strict';
const crypto = require('node:crypto');
const http = require('node:http');
const net = require('node:net');

const now = () => String(process.hrtime.bigint());

function block(milliseconds) {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

// Asks the peer one byte after the other, each when the one before is answered.
function ask(port, times, done) {
  const socket = net.connect(port, '127.0.0.1', () => socket.write('?'));
  socket.on('data', () => (--times > 0 ? socket.write('?') : socket.end(done)));
}

const server = http.createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  const start = now();
  const answer = () => response.end(`${start} ${now()}`);
  if (pathname === '/block') {
    block(Number(searchParams.get('ms')));
    answer();
  } else if (pathname === '/pool') {
    crypto.pbkdf2('password', 'salt', 200000, 64, 'sha512', answer);
  } else {
    ask(Number(searchParams.get('port')), Number(searchParams.get('times')), answer);
  }
});
server.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
