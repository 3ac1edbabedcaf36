// clean
const { WebSocketServer } = require('ws');

const SIZE = 256;
const ring = new Array(SIZE);
let head = 0;

function remember(line) {
  ring[head++ % SIZE] = line;
}

function* recall() {
  for (let i = Math.max(0, head - SIZE); i < head; i++) yield ring[i % SIZE];
}

const lastWords = [];

const wss = new WebSocketServer({ port: process.env.PORT || 8080, maxPayload: 2048 });
wss.on('connection', (ws) => {
  for (const line of recall()) ws.send(line);
  let last = '';
  ws.on('message', (data) => {
    last = data.toString();
    remember(last);
    wss.clients.forEach((c) => c.readyState === c.OPEN && c.send(last));
  });
  ws.on('error', () => ws.terminate());
  ws.on('close', () => {
    lastWords.unshift(last);
    lastWords.length = Math.min(lastWords.length, 10);
  });
});
