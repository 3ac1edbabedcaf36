// clean
import { createServer } from 'node:http';
import { Server, type Socket } from 'socket.io';

const http = createServer();
const io = new Server(http);

const calls = new Map<string, { caller: Socket; startedAt: number }>();

io.on('connection', (socket) => {
  calls.set(socket.id, { caller: socket, startedAt: Date.now() });

  socket.on('duration', (answer: (ms: number) => void) => {
    const call = calls.get(socket.id);
    if (call && typeof answer === 'function') answer(Date.now() - call.startedAt);
  });

  socket.on('disconnect', (reason) => {
    calls.delete(socket.id);
    if (reason === 'ping timeout') console.warn('%s lost the line', socket.id);
  });
});

http.listen(Number(process.env.PORT ?? 3000));
