// Planted: an upgrade to any path but /ws gets no answer, and its socket is never destroyed.
'use strict';
const http = require('node:http');
const { WebSocketServer } = require('ws');

const server = http.createServer();
const sockets = new WebSocketServer({ noServer: true });
sockets.on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', () => socket.send('{"type":"subscribed"}'));
});
server.on('upgrade', (request, socket, head) => {
  if (request.url !== '/ws') return;
  sockets.handleUpgrade(request, socket, head, (each) => sockets.emit('connection', each));
});
require('./listen').listen(server);
