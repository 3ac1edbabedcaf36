import { createServer } from 'node:http';
import { Server, type Socket } from 'socket.io';

const http = createServer();
const io = new Server(http);

const calls = new Map<string, { caller: Socket; startedAt: number }>();

io.on('connection', (socket) => {
  calls.set(socket.id, { caller: socket, startedAt: Date.now() }); // expect: LC007

  socket.on('duration', (answer: (ms: number) => void) => {
    const call = calls.get(socket.id);
    if (call && typeof answer === 'function') answer(Date.now() - call.startedAt);
  });

  socket.on('disconnect', (reason) => {
    if (reason === 'client namespace disconnect') {
      calls.delete(socket.id);
    }
  });
});

http.listen(Number(process.env.PORT ?? 3000));
