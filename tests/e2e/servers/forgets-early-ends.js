// Planted: one file descriptor per connection that ends before its first answer. It is opened when
// a look-up is done, and the handler that closes it hears of no end that came before.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const { WebSocketServer } = require('ws');

const server = http.createServer();
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', () => {
    setTimeout(() => {
      const fd = fs.openSync('/dev/null');
      socket.on('close', () => fs.closeSync(fd));
      socket.send('{"type":"subscribed"}');
    }, 20);
  });
});
require('./listen').listen(server);
