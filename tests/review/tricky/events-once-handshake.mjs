// clean
import { once } from 'node:events';
import { WebSocketServer } from 'ws';

const wss = new WebSocketServer({ port: process.env.PORT ?? 8080 });
const greeted = new Set();

async function handshake(ws) {
  const signal = AbortSignal.timeout(5000);
  const [hello] = await once(ws, 'message', { signal });
  if (hello.toString() !== 'HELLO 1') throw new Error('wrong version');
  ws.send('HELLO 1');
}

wss.on('connection', (ws) => {
  ws.on('error', () => ws.terminate());
  ws.on('close', () => greeted.delete(ws));
  handshake(ws)
    .then(() => {
      if (ws.readyState !== ws.OPEN) return;
      greeted.add(ws);
      for (const other of greeted) other.send(`${greeted.size} here`);
    })
    .catch((error) => ws.close(1002, error.message));
});
