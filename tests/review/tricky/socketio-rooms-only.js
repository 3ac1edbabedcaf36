// clean
const { createServer } = require('http');
const { Server } = require('socket.io');

const http = createServer();
const io = new Server(http, { pingInterval: 10000, pingTimeout: 5000 });

const rooms = ['north', 'south', 'east', 'west'];

io.on('connection', (socket) => {
  socket.join('everyone');
  socket.data.region = 'north';
  socket.join(socket.data.region);

  socket.on('move', (region, done) => {
    if (!rooms.includes(region)) return;
    socket.leave(socket.data.region);
    socket.join(region);
    socket.data.region = region;
    if (typeof done === 'function') done(io.sockets.adapter.rooms.get(region).size);
  });

  socket.on('order', (ticket) => socket.join(`order:${String(ticket).slice(0, 20)}`));

  socket.on('disconnecting', () => {
    for (const room of socket.rooms) socket.to(room).emit('left', socket.id);
  });
});

http.listen(process.env.PORT || 3000);
