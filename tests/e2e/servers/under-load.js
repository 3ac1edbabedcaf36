// A WebSocket server that meets a limit. Planted, by environment:
//   KEEP_BYTES=65536   held for each open connection, outside the heap
//   REFUSE_OVER=50     beyond so many open ones, upgrades are answered 429
//   CLOSE_OVER=50      beyond so many open ones, new ones are closed with code 1013
//   BLOCK_ON=30        when the 30th connection comes, the loop is blocked for 300 ms
//   EXIT_ON=70         when the 70th connection comes, the process exits with status 7
//   BACKLOG=4          of the listening socket
//   SLOW_ACCEPT_MS=20  the loop is blocked for so long by every connection
//   CERTIFICATE=FILE   TLS with the key and certificate in this PEM file
//   SAY_ENDS=1         prints the code with which each connection closed
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const { WebSocketServer } = require('ws');

const planted = (name) => Number(process.env[name] ?? 0);
const open = new Map();
let seen = 0;

function block(milliseconds) {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

const pem = process.env.CERTIFICATE && fs.readFileSync(process.env.CERTIFICATE);
const server = pem ? https.createServer({ key: pem, cert: pem }) : http.createServer();
const sockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, socket, head) => {
  seen++;
  if (seen === planted('EXIT_ON')) process.exit(7);
  if (seen === planted('BLOCK_ON')) block(300);
  block(planted('SLOW_ACCEPT_MS'));
  if (planted('REFUSE_OVER') && open.size >= planted('REFUSE_OVER')) {
    socket.end('HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    return;
  }
  sockets.handleUpgrade(request, socket, head, (client) => {
    client.on('error', () => client.terminate());
    if (planted('CLOSE_OVER') && open.size >= planted('CLOSE_OVER')) {
      client.close(1013, 'try again later');
      return;
    }
    open.set(client, Buffer.alloc(planted('KEEP_BYTES'), 1));
    client.on('close', (code) => {
      open.delete(client);
      if (planted('SAY_ENDS')) console.log(`closed ${code}`);
    });
    client.on('message', () => client.send('{"type":"subscribed"}'));
  });
});
server.listen({ port: 0, host: '127.0.0.1', backlog: planted('BACKLOG') || undefined }, () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});
