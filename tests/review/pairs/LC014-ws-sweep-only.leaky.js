const { WebSocketServer } = require('ws');

const wss = new WebSocketServer({ port: process.env.PORT || 8080 });
const viewers = new Map();
let next = 0;

wss.on('connection', (ws, req) => {
  const key = ++next;
  viewers.set(key, { ws, page: req.url, seen: Date.now() }); // expect: LC014
  ws.on('error', () => {});
  ws.on('message', () => {
    viewers.get(key).seen = Date.now();
  });
});

setInterval(() => {
  for (const [key, viewer] of viewers) {
    if (Date.now() - viewer.seen > 30 * 60 * 1000) {
      viewer.ws.terminate();
      viewers.delete(key);
    }
  }
}, 60 * 1000);
