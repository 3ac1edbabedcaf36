// Planted: one file descriptor per connection. The client's end is seen and never answered, so the
// socket stays in CLOSE_WAIT.
'use strict';
const net = require('node:net');

const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {});
  socket.on('data', () => socket.write('subscribed\n'));
});
require('./listen').listen(server);
