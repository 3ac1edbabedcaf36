import { Server } from 'socket.io';

interface Entry {
  by: string;
  text: string;
}

const io = new Server(Number(process.env.PORT ?? 3000));
const rooms = ['general', 'random', 'help'] as const;
const logs: Record<string, Entry[]> = Object.fromEntries(rooms.map((room) => [room, []]));

io.on('connection', (socket) => {
  socket.join([...rooms]);

  socket.on('post', (room: string, text: string) => {
    const log = Object.hasOwn(logs, room) ? logs[room] : undefined;
    if (!log) return;
    log.push({ by: socket.id, text: String(text).slice(0, 2000) }); // expect: LC011
    socket.to(room).emit('post', room, log.at(-1));
  });

  socket.on('replay', (room: string) => {
    if (Object.hasOwn(logs, room)) socket.emit('replayed', logs[room]);
  });
});
