// A chat: what one client says goes to everybody, the speaker too.
'use strict';
const http = require('node:http');
const { WebSocketServer } = require('ws');

const server = http.createServer();
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', (data) => {
    for (const client of sockets.clients) client.send(data.toString());
  });
});
require('./listen').listen(server);
