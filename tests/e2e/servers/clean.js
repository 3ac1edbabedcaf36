// Keeps 64 KB per connection for as long as the connection lives.
'use strict';
const sessions = new Map();

require('./listen').serve((socket) => {
  sessions.set(socket, new Array(8192).fill(null));
  socket.on('close', () => sessions.delete(socket));
});
