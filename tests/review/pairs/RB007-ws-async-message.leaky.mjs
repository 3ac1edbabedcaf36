import { appendFile } from 'node:fs/promises';
import { WebSocketServer } from 'ws';

const file = process.env.NOTES ?? '/tmp/notes.txt';
const wss = new WebSocketServer({ port: process.env.PORT ?? 8080, maxPayload: 10_000 });

wss.on('connection', (ws) => {
  ws.on('error', (error) => console.error(error.message));
  ws.on('message', async (data) => { // expect: RB007
    await appendFile(file, `${data}\n`);
    ws.send('noted');
  });
});
