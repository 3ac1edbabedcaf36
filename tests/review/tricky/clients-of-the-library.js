// clean
'use strict';

const { createServer } = require('http');
const { WebSocketServer, OPEN } = require('ws');

const server = createServer(onRequest);
const wss = new WebSocketServer({ server, clientTracking: true });

function onRequest(req, res) {
  if (req.method !== 'POST') {
    res.writeHead(405).end();
    return;
  }
  const topic = req.url.slice(1);
  let reached = 0;
  wss.clients.forEach(function (client) {
    if (client.topic !== topic || client.readyState !== OPEN) return;
    client.send(topic);
    reached++;
  });
  res.end(String(reached));
}

wss.on('connection', function (client) {
  client.topic = null;
  client.seen = [];
  client.on('message', function (topic) {
    client.topic = topic.toString();
    client.seen.push(client.topic);
    if (client.seen.length > 20) client.seen.shift();
  });
  client.on('error', function () {
    client.terminate();
  });
});

server.listen(process.env.PORT || 8080);
