import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { io as dial, type Socket as Upstream } from 'socket.io-client';

const httpServer = createServer();
const io = new Server(httpServer);

let upstream: Upstream | null = null;

io.of('/mirror').on('connection', (socket) => {
  upstream = dial('http://127.0.0.1:4000', { forceNew: true }); // expect: LC015
  upstream.onAny((event, ...args) => socket.emit(event, ...args));

  socket.on('disconnect', () => {
    upstream?.disconnect();
    upstream = null;
  });
});

httpServer.listen(Number(process.env.PORT ?? 3000));
