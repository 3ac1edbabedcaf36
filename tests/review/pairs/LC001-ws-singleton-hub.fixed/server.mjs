// clean
import { WebSocketServer } from 'ws';
import { hub } from './hub.mjs';

const wss = new WebSocketServer({ port: Number(process.env.PORT ?? 8080), maxPayload: 16_384 });

wss.on('connection', (socket) => {
  socket.on('error', (error) => console.error(error.message));
  socket.on('message', (data) => hub.publish('lobby', data.toString()));
  socket.on('close', () => hub.leave('lobby', socket));
  hub.join('lobby', socket);
});
