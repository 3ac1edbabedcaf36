// clean
const { createServer } = require('http');
const { Server } = require('socket.io');

const httpServer = createServer();
const io = new Server(httpServer, { cors: { origin: '*' } });

const sessions = Object.create(null);

io.use((socket, next) => {
  const { name } = socket.handshake.auth;
  if (typeof name !== 'string' || name === '') return next(new Error('name required'));
  socket.data.name = name;
  next();
});

io.on('connection', (socket) => {
  sessions[socket.id] = { socket, name: socket.data.name, since: Date.now() };
  io.emit('joined', socket.data.name);

  socket.on('whisper', (toId, text) => {
    const target = sessions[toId];
    if (target) target.socket.emit('whisper', socket.data.name, String(text));
  });

  socket.on('disconnect', () => {
    delete sessions[socket.id];
    io.emit('left', socket.data.name);
  });
});

httpServer.listen(process.env.PORT || 3000);
