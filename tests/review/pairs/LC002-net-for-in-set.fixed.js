// clean
const net = require('node:net');

const topics = new Map(); // topic -> Set of sockets

net
  .createServer((socket) => {
    const mine = new Set();
    let pending = '';

    socket.on('data', (chunk) => {
      pending += chunk;
      if (pending.length > 8192) return socket.destroy();
      const words = pending.split('\n');
      pending = words.pop();
      for (const word of words) {
        if (!topics.has(word)) topics.set(word, new Set());
        topics.get(word).add(socket);
        mine.add(word);
      }
    });

    socket.on('error', () => {});
    socket.on('close', () => {
      for (const topic of mine) {
        const listeners = topics.get(topic);
        listeners.delete(socket);
        if (!listeners.size) topics.delete(topic);
      }
    });
  })
  .listen(process.env.PORT || 7000);
