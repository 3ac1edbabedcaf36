import { createServer } from 'node:net';

// Senders repeat a line until it is acknowledged; a repeated one is answered, not stored.
const seen = new Map();
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
      if (!seen.has(id)) {
        seen.set(id, ++stored); // expect: LC011|LC001
      }
      socket.write(`ACK ${id}\n`);
    }
  });
}).listen(process.env.PORT ?? 7002);
