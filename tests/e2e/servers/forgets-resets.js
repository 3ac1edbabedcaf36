// Planted: an entry of 200 bytes and more in a Map for each connection that is reset; one that ends
// in any other way leaves nothing.
'use strict';
const sessions = new Map();
let next = 0;

require('./listen').serve((socket) => {
  const id = ++next;
  sessions.set(id, { id, socket, replay: new Array(16).fill(id) });
  let broken = false;
  socket.on('error', () => (broken = true));
  socket._socket.on('error', () => (broken = true));
  socket.on('close', () => {
    if (!broken) sessions.delete(id);
  });
});
