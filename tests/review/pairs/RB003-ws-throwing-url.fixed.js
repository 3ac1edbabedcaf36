// clean
const http = require('http');
const { WebSocketServer } = require('ws');

const server = http.createServer();
const wss = new WebSocketServer({ noServer: true });

// `GET // HTTP/1.1` and a Host of `:` are enough for new URL to throw.
server.on('upgrade', function (request, socket, head) {
  socket.on('error', () => socket.destroy());
  let pathname;
  try {
    ({ pathname } = new URL(request.url, `http://${request.headers.host}`));
  } catch {
    socket.destroy();
    return;
  }
  if (pathname === '/live') {
    wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request));
  } else {
    socket.destroy();
  }
});

wss.on('connection', (ws) => {
  ws.on('error', console.error);
  ws.send('live');
});
server.listen(process.env.PORT || 8080);
