// clean
import express, { type Request } from 'express';
import expressWs from 'express-ws';
import { WebSocket } from 'ws';

const rooms: ReadonlySet<string> = new Set(['red', 'green', 'blue']);
const { app, getWss } = expressWs(express());

function enterRoom(ws: WebSocket, req: Request): void {
  ws.on('error', (error) => console.error(error.message));
  const room = String(req.params['room']);
  if (!rooms.has(room)) {
    console.warn('nobody knows the room %s', room);
    ws.close(4404, 'no such room');
    return;
  }
  ws.on('message', (data) => {
    getWss().clients.forEach((peer) => {
      if (peer.readyState === WebSocket.OPEN) peer.send(data.toString());
    });
  });
}

app.ws('/rooms/:room', enterRoom);
app.listen(Number(process.env.PORT ?? 3000));
