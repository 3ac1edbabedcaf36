// POST /matches/1/commentary broadcasts {"text": …} to whoever has subscribed. Planted, by
// environment:
//   SKIP_EVERY=7       every 7th client gets nothing
//   TWICE_EVERY=10     every 10th message is sent twice
//   DELAY_MS=50        from the request to the broadcast
//   LATE_EVERY=10      every 10th message is delayed by LATE_MS instead
//   EXIT_AT=30         the process exits with status 7 before the 30th message
//   STATUS=500         the answer of every request, and nothing is broadcast
//   HANG=1             no request is answered, nothing is broadcast
//   UPSTREAM=PORT      each request first asks the dependency at this port, and waits for it
//   BLOCK_AT=20        before the 20th message the loop is blocked for 300 ms
//   ANONYMOUS=1        messages do not carry the text of the request
//   PAD=1000000        bytes of padding in each message
'use strict';
const http = require('node:http');
const net = require('node:net');
const { WebSocketServer } = require('ws');

const planted = (name) => Number(process.env[name] ?? 0);
const subscribers = [];
let messages = 0;
let requests = 0;

function block(milliseconds) {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

// As a database's pool: one question at a time on each connection.
const pool = planted('UPSTREAM')
  ? Array.from({ length: 10 }, () => net.connect(planted('UPSTREAM'), '127.0.0.1'))
  : [];

function ask_upstream(then) {
  if (!planted('UPSTREAM')) return then();
  const connection = pool.pop();
  connection.once('data', () => {
    pool.push(connection);
    then();
  });
  connection.write('?');
}

function broadcast(text) {
  messages++;
  if (messages === planted('BLOCK_AT')) block(300);
  if (messages === planted('EXIT_AT')) process.exit(7);
  const body = JSON.stringify({
    text: planted('ANONYMOUS') ? 'something happened' : text,
    padding: 'x'.repeat(planted('PAD')),
  });
  const copies = planted('TWICE_EVERY') && messages % planted('TWICE_EVERY') === 0 ? 2 : 1;
  subscribers.forEach((socket, index) => {
    if (planted('SKIP_EVERY') && (index + 1) % planted('SKIP_EVERY') === 0) return;
    for (let i = 0; i < copies; i++) socket.send(body);
  });
}

function on_request(request, response) {
  let body = '';
  request.on('data', (piece) => (body += piece));
  request.on('end', () => {
    if (planted('HANG')) return;
    if (planted('STATUS')) {
      response.writeHead(planted('STATUS')).end();
      return;
    }
    requests++;
    const late = planted('LATE_EVERY') && requests % planted('LATE_EVERY') === 0;
    ask_upstream(() =>
      setTimeout(() => {
        broadcast(JSON.parse(body).text);
        response.writeHead(201).end('{}');
      }, planted(late ? 'LATE_MS' : 'DELAY_MS')),
    );
  });
}

const server = http.createServer(on_request);
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', () => {
    subscribers.push(socket);
    socket.send('{"type":"subscribed"}');
  });
  socket.on('close', () => {
    const index = subscribers.indexOf(socket);
    if (index >= 0) subscribers.splice(index, 1);
  });
});
require('./listen').listen(server);
