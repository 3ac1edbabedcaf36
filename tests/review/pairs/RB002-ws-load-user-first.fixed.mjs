// clean
import { readFile } from 'node:fs/promises';
import { WebSocketServer } from 'ws';

const wss = new WebSocketServer({ port: process.env.PORT ?? 8080 });

wss.on('connection', async (ws, req) => {
  ws.on('error', (error) => console.error(error.message));
  ws.on('message', (data) => ws.send(data.toString().trim()));
  ws.on('close', () => console.log('closed'));
  try {
    const motd = await readFile('/etc/motd', 'utf8');
    ws.send(motd);
  } catch {
    ws.send(`hello ${req.socket.remoteAddress}`);
  }
});
