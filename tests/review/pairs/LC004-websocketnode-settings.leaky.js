'use strict';
const http = require('http');
const { EventEmitter } = require('events');
const { server: WsServer } = require('websocket');

const settings = Object.assign(new EventEmitter(), { theme: 'light' });
settings.setMaxListeners(0);

const httpServer = http.createServer((req, res) => {
  settings.theme = settings.theme === 'light' ? 'dark' : 'light';
  settings.emit('change');
  res.end(settings.theme);
});
const wsServer = new WsServer({ httpServer });

wsServer.on('request', (request) => {
  const connection = request.accept(null, request.origin);
  const push = () => connection.sendUTF(settings.theme);
  push();
  settings.on('change', push); // expect: LC004
  connection.on('close', () => console.log('display gone'));
});

httpServer.listen(process.env.PORT || 8080);
