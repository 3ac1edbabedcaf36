// clean
const fs = require('fs');
const path = require('path');
const { createServer } = require('http');
const { Server } = require('socket.io');

const root = process.env.LOG_DIR || '/var/log';
const http = createServer();
const io = new Server(http);

io.on('connection', (socket) => {
  let watcher;

  socket.on('follow', (name) => {
    const file = path.join(root, path.basename(String(name)));
    if (!fs.existsSync(file)) return socket.emit('gone', name);
    watcher?.close();
    watcher = fs.watch(file, (event) => socket.emit('changed', name, event));
    watcher.on('error', () => socket.emit('gone', name));
  });

  socket.on('disconnect', () => {
    if (watcher) watcher.close();
  });
});

http.listen(process.env.PORT || 3000);
