import { setTimeout as delay } from 'node:timers/promises';
import { WebSocketServer, WebSocket } from 'ws';

const members = new Set();
const wss = new WebSocketServer({ port: process.env.PORT ?? 8080 });

async function loadProfile(token) {
  await delay(50); // the account service is a network away
  return { name: `guest-${token.length}` };
}

wss.on('connection', async (ws, req) => {
  ws.on('error', () => ws.terminate());
  ws.on('close', () => members.delete(ws));
  ws.on('message', (data) => {
    for (const other of members) if (other !== ws) other.send(`${ws.profile?.name}: ${data}`);
  });

  try {
    ws.profile = await loadProfile(req.headers['sec-websocket-key']);
    members.add(ws); // expect: LC008
    ws.send(`welcome ${ws.profile.name}`);
  } catch {
    ws.close(1011, 'profile not available');
  }
});
