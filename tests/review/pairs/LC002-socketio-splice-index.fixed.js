// clean
const { Server } = require('socket.io');

const io = new Server(process.env.PORT || 3000);
const queue = [];

// Two players who wait make a game; who leaves before that gives the place back.
io.on('connection', (socket) => {
  queue.push({ socket, level: Number(socket.handshake.query.level) || 1 });

  socket.on('peek', (reply) => {
    if (typeof reply === 'function') reply(queue.length);
  });

  socket.on('disconnect', () => {
    const place = queue.findIndex((entry) => entry.socket === socket);
    if (place >= 0) queue.splice(place, 1);
  });
});

setInterval(() => {
  if (queue.length < 2) return;
  const [first, second] = queue.splice(0, 2);
  const room = `game-${Date.now()}`;
  first.socket.join(room);
  second.socket.join(room);
  io.to(room).emit('start', room);
}, 250);
