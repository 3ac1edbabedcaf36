// What the planted servers share: a WebSocket server on any path that answers each message, and the
// line by which a test learns the port.
'use strict';
const cluster = require('node:cluster');
const http = require('node:http');
const { WebSocketServer } = require('ws');

function listen(server) {
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
    if (cluster.isWorker) return;  // the primary says it when all of them are up
    console.log(`listening on 127.0.0.1:${server.address().port}`);
  });
}

// Calls onConnection(socket) for each connection.
function serve(onConnection) {
  const server = http.createServer();
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.on('message', () => socket.send('{"type":"subscribed"}'));
    onConnection(socket);
  });
  listen(server);
}

module.exports = { listen, serve };
