'use strict';
const { WebSocketServer } = require('ws');

const rooms = new Map();
const wss = new WebSocketServer({ port: process.env.PORT || 8080, maxPayload: 4096 });

wss.on('connection', (ws, req) => {
  const name = req.url.slice(1, 65);
  if (!rooms.has(name)) rooms.set(name, new Set()); // expect: LC016
  rooms.get(name).add(ws);

  ws.on('error', () => ws.terminate());
  ws.on('message', (data) => {
    for (const peer of rooms.get(name)) {
      if (peer !== ws && peer.readyState === 1) peer.send(data);
    }
  });
  ws.on('close', () => {
    rooms.get(name).delete(ws);
  });
});
