// Answers every upgrade with the status in STATUS.
'use strict';
const server = require('node:http').createServer();
server.on('upgrade', (_, socket) => {
  socket.end(`HTTP/1.1 ${process.env.STATUS} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
});
require('./listen').listen(server);
