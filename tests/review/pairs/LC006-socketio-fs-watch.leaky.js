const { watch } = require('node:fs');
const { Server } = require('socket.io');

const io = new Server(Number(process.env.PORT) || 3000, { serveClient: false });
const dir = process.env.SHARE || '.';

io.of('/share').on('connection', (socket) => {
  const started = Date.now();
  const changes = watch(dir, (kind, file) => socket.emit('change', kind, file)); // expect: LC006
  changes.on('error', (err) => socket.emit('problem', err.message));

  socket.on('disconnect', (reason) => {
    console.log('watched %d s, %s', (Date.now() - started) / 1000, reason);
  });
});
