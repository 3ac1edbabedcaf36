import { WebSocketServer } from 'ws';

const wss = new WebSocketServer({ port: process.env.PORT ?? 8080 });

function quote(pair) {
  return JSON.stringify({ pair, price: (Math.random() * 100).toFixed(2) });
}

wss.on('connection', (ws) => {
  ws.ticker = null;

  ws.on('message', (data) => {
    const pair = data.toString();
    if (!/^[A-Z]{3}\/[A-Z]{3}$/.test(pair)) return;
    ws.ticker = setInterval(() => ws.send(quote(pair)), 500); // expect: LC003
  });

  ws.on('error', () => {});
  ws.on('close', () => clearInterval(ws.ticker));
});
