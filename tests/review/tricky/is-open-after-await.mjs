// clean
import { readFile } from 'node:fs/promises';
import { WebSocketServer } from 'ws';

const wss = new WebSocketServer({ port: process.env.PORT ?? 8080, maxPayload: 256 });
const subscriptions = new Map();

const isOpen = (ws) => ws.readyState === ws.OPEN;

async function permitted(topic) {
  const text = await readFile(new URL('./topics.txt', import.meta.url), 'utf8').catch(() => '');
  return text === '' || text.split('\n').includes(topic);
}

async function subscribe(ws, topic) {
  const ok = await permitted(topic);
  if (!isOpen(ws)) return;
  if (!ok) {
    ws.send(`no ${topic}`);
    return;
  }
  const topics = subscriptions.get(ws) ?? new Set();
  subscriptions.set(ws, topics.add(topic));
  ws.send(`yes ${topic}`);
}

wss.on('connection', (ws) => {
  ws.on('error', () => ws.terminate());
  ws.on('close', () => subscriptions.delete(ws));
  ws.on('message', (data) => {
    subscribe(ws, data.toString()).catch((error) => ws.close(1011, error.code));
  });
});
