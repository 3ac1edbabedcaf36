// Pings every PERIOD ms (1000); who has not answered by the next ping is terminated: a silent client
// is noticed after one to two periods. With FORGETS=1 planted: an entry for each client that is.
'use strict';
const alive = new Set();
const all = new Set();
const late = new Map();
const forgets = process.env.FORGETS === '1';

setInterval(() => {
  for (const socket of all) {
    if (alive.delete(socket)) {
      socket.ping();
      continue;
    }
    if (forgets) late.set(socket, new Array(16).fill(late.size));
    socket.terminate();
  }
}, Number(process.env.PERIOD ?? 1000));

require('./listen').serve((socket) => {
  all.add(socket);
  alive.add(socket);
  socket.on('pong', () => alive.add(socket));
  socket.on('close', () => {
    all.delete(socket);
    alive.delete(socket);
  });
});
