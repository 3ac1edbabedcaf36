// clean
const express = require('express');
const http = require('http');
const WebSocket = require('ws');

const app = express();
const server = http.createServer(app);
const wss = new WebSocket.Server({ server });
const carts = new Map();
let cartNumber = 0;

wss.on('connection', (client) => {
  const number = ++cartNumber;
  carts.set(number, { client, items: [] });
  client.on('message', (item) => carts.get(number).items.push(item.toString().slice(0, 80)));
  client.on('error', () => client.terminate());
  client.on('close', () => carts.delete(number));
});

app.get('/carts', (req, res) => res.json({ open: carts.size }));
server.listen(process.env.PORT || 8080);
