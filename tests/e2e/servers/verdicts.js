// One server for many truths; PLANT says what a connection leaves behind, or what only looks so.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const zlib = require('node:zlib');
const { WebSocketServer } = require('ws');

const kept = [];
let seen = 0;

const leaks = {
  heap_64: () => kept.push({ a: seen, b: null, c: null, d: null }),
  heap_1k: () => kept.push(new Array(120).fill(null)),
  heap_16k: () => kept.push(new Array(2048).fill(null)),
  every_10th: () => seen % 10 === 0 && kept.push(new Array(2048).fill(null)),
  buffers_16k: () => kept.push(Buffer.alloc(16384, 1)),
  native: () => kept.push(zlib.createDeflate({ memLevel: 9 }).on('error', () => {})),
  fds: () => kept.push(fs.openSync('/dev/null')),
  // Its client's FIN is not answered.
  close_wait: (socket) => socket._socket.removeAllListeners('end'),
  only_rst: (socket) => socket._socket.on('error', () => kept.push(new Array(120).fill(null))),
  only_wrong_path: () => {},
};

// Clean ones: bounded by a cap, or driven by the clock.
const lru = new Map();
function use_lru(entries) {
  lru.set(`session ${seen}`, { seen, data: new Array(20).fill(seen) });
  if (lru.size > entries) lru.delete(lru.keys().next().value);
}

const pool = [];
const clean = {
  plain: () => {},
  lru_5000: () => use_lru(5000),
  lru_200: () => use_lru(200),
  // Names out of 700: fewer and fewer are new.
  lazy_growth: () => use_lru_by_name(),
  pool_of_20: () => pool.length < 20 && pool.push(net.connect(Number(process.env.UPSTREAM), '127.0.0.1')),
  metrics_ring: () => {},
  fragments: () => fragment(),
  deflate: () => {},
};

const names = new Map();
function use_lru_by_name() {
  const name = (seen * 7919) % 700;
  names.set(name, { name, data: new Array(50).fill(seen) });
}

// Buffers of many sizes that come and go: malloc keeps what lies between them.
const passing = [];
function fragment() {
  for (let i = 0; i < 20; i++) passing.push(Buffer.allocUnsafeSlow(1000 + ((seen * 7919 + i * 15485863) % 60000)));
  while (passing.length > 400) passing.splice((seen * 104729) % passing.length, 1);
}

const plant = process.env.PLANT;
const onConnection = leaks[plant] ?? clean[plant];
if (!onConnection) throw new Error(`nothing is called ${plant}`);

if (plant === 'metrics_ring') {
  const ring = [];
  setInterval(() => {
    ring.push({ at: Date.now(), connections: seen, load: process.cpuUsage() });
    if (ring.length > 100000) ring.shift();
  }, 5);
}

const server = http.createServer();
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: plant === 'deflate' });
server.on('upgrade', (request, socket, head) => {
  if (request.url === '/ws') return sockets.handleUpgrade(request, socket, head, (each) => sockets.emit('connection', each));
  if (plant !== 'only_wrong_path') socket.destroy();
});
sockets.on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', (data) => socket.send(`subscribed ${data}`));
  seen++;
  onConnection(socket);
});
require('./listen').listen(server);
