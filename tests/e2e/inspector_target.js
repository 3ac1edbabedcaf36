// A small HTTP server that does as told by the lines on its standard input, one word of answer each.
'use strict';
const http = require('http');

const kept = new Map();
const finalized = new FinalizationRegistry((held) => held.length);
const megabytes = (n) => Array.from({ length: n * 8 }, () => new Array(16384).fill(0.5));

const commands = {
  keep: (n) => kept.set(kept.size, megabytes(n)),
  keepBuffer: (n) => kept.set(kept.size, new ArrayBuffer(n << 20)),
  drop: (n) => megabytes(n),
  // What the registry holds is free only once its callback has run, in a later turn.
  finalize: (n) => finalized.register({}, megabytes(n)),
  log: (n) => console.log(megabytes(n)),
  handleSignal: () => process.on('SIGUSR1', () => {}),
  block: (ms) => {
    process.stdout.write('blocking\n');
    const end = Date.now() + ms;
    while (Date.now() < end);
  },
};

let pending = '';
process.stdin.on('data', (chunk) => {
  const lines = (pending + chunk).split('\n');
  pending = lines.pop();
  for (const line of lines) {
    const [name, argument] = line.split(' ');
    commands[name](Number(argument));
    process.stdout.write('\ndone\n');
  }
});
http.createServer((request, response) => response.end('ok')).listen(0, '127.0.0.1', () => {
  process.stdout.write('ready\n');
});
