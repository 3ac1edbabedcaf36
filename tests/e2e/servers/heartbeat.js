// Pings every second; who has not answered by the next ping is terminated: a silent client is
// noticed after one to two seconds.
'use strict';
const alive = new Set();
const all = new Set();

setInterval(() => {
  for (const socket of all) {
    if (!alive.delete(socket)) socket.terminate();
    else socket.ping();
  }
}, 1000);

require('./listen').serve((socket) => {
  all.add(socket);
  alive.add(socket);
  socket.on('pong', () => alive.add(socket));
  socket.on('close', () => {
    all.delete(socket);
    alive.delete(socket);
  });
});
