// Upgrades every connection and says nothing.
'use strict';
const http = require('node:http');
const { WebSocketServer } = require('ws');

const server = http.createServer();
new WebSocketServer({ server }).on('connection', (socket) => socket.on('error', () => {}));
require('./listen').listen(server);
