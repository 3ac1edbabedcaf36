// clean
import { createServer } from 'node:net';

// Two generations: what was seen in the last one to two minutes is a duplicate.
let seen = new Map();
let older = new Map();
setInterval(() => {
  older = seen;
  seen = new Map();
}, 60_000).unref();

let stored = 0;

createServer((socket) => {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  socket.on('data', (text) => {
    const lines = (rest + text).slice(-65_536).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const id = line.slice(0, 36);
      if (!seen.has(id) && !older.has(id)) {
        seen.set(id, ++stored);
      }
      socket.write(`ACK ${id}\n`);
    }
  });
}).listen(process.env.PORT ?? 7002);
