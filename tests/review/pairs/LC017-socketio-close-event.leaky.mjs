import { createServer } from 'node:http';
import { Server } from 'socket.io';

const httpServer = createServer();
const io = new Server(httpServer);

const pens = new Map();

function onConnection(socket) {
  pens.set(socket.id, { socket, colour: '#000' }); // expect: LC017
  socket.on('colour', (colour) => {
    pens.get(socket.id).colour = String(colour).slice(0, 9);
  });
  socket.on('close', onGone.bind(null, socket));
}

function onGone(socket) {
  pens.delete(socket.id);
}

io.on('connection', onConnection);
httpServer.listen(process.env.PORT ?? 3000);
