// Three workers. Keeps 64 KB per connection for as long as the connection lives.
'use strict';
const sessions = new Map();

require('./cluster').serve((socket) => {
  sessions.set(socket, Buffer.allocUnsafeSlow(65536).fill(1));
  socket.on('close', () => sessions.delete(socket));
});
