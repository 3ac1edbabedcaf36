// The client of Node's ws beside the benchmark's others: node load_cost_peer.js PORT COUNT opens,
// holds and closes, and prints the same three figures.
'use strict';
const WebSocket = require('ws');

const [port, count] = process.argv.slice(2).map(Number);
const window = 10;  // opening at once
const cpu_ms = () => {
  const {user, system} = process.cpuUsage();
  return (user + system) / 1e3;
};

const sockets = [];
let up = 0;
let ended = 0;
let begin_ms = cpu_ms();
const begin_bytes = process.memoryUsage.rss();
let opening = '';

function startOne() {
  if (sockets.length === count) return;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {perMessageDeflate: false});
  sockets.push(socket);
  socket.on('open', () => (++up === count ? closeAll() : startOne()));
  socket.on('close', () => {
    if (++ended === count) console.log(opening, (cpu_ms() - begin_ms) * 1e3 / count);
  });
}

function closeAll() {
  const per_thousand_ms = (cpu_ms() - begin_ms) * 1e3 / count;
  opening = `${per_thousand_ms} ${(process.memoryUsage.rss() - begin_bytes) / count}`;
  begin_ms = cpu_ms();
  for (const socket of sockets) socket.close();
}

for (let i = 0; i < window; i++) startOne();
