const { WebSocketServer } = require('ws');
const { lookup } = require('dns').promises;

const wss = new WebSocketServer({ port: process.env.PORT || 8080 });
const pings = new Map();

wss.on('connection', (ws) => {
  ws.on('error', () => {});
  ws.on('close', () => {
    clearInterval(pings.get(ws));
    pings.delete(ws);
  });

  ws.once('message', (host) => {
    lookup(host.toString())
      .then(({ address }) => {
        pings.set(ws, setInterval(() => ws.send(address), 5000)); // expect: LC008
      })
      .catch((err) => ws.close(1008, err.code));
  });
});
