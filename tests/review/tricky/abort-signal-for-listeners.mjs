// clean
import { createServer } from 'node:http';
import { setInterval as every } from 'node:timers/promises';
import { WebSocketServer } from 'ws';

const market = new EventTarget();
const server = createServer((req, res) => {
  market.dispatchEvent(new Event(req.url === '/open' ? 'open' : 'halt'));
  res.end();
});

async function sendClock(ws, signal) {
  try {
    for await (const _ of every(1000, undefined, { signal })) ws.send(new Date().toJSON());
  } catch (error) {
    if (error.name !== 'AbortError') throw error;
  }
}

new WebSocketServer({ server }).on('connection', (ws) => {
  const gone = new AbortController();
  const { signal } = gone;

  market.addEventListener('open', () => ws.send('open'), { signal });
  market.addEventListener('halt', () => ws.send('halted'), { signal });
  sendClock(ws, signal).catch(console.error);

  ws.on('error', () => ws.terminate());
  ws.on('close', () => gone.abort());
});

server.listen(process.env.PORT ?? 8080);
