// Planted: the handshake awaits a check, and meanwhile nobody listens to the socket's errors: a
// reset ends the process.
'use strict';
const http = require('node:http');
const { WebSocketServer } = require('ws');

const check = () => new Promise((done) => setTimeout(done, 20));

const server = http.createServer();
const sockets = new WebSocketServer({ noServer: true });
sockets.on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', () => socket.send('{"type":"subscribed"}'));
});
server.on('upgrade', async (request, socket, head) => {
  await check();
  sockets.handleUpgrade(request, socket, head, (each) => sockets.emit('connection', each));
});
require('./listen').listen(server);
