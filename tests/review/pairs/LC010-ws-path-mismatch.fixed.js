// clean
const http = require('http');
const { WebSocketServer } = require('ws');

const server = http.createServer((req, res) => res.end('ok'));
const wss = new WebSocketServer({ noServer: true });

server.on('upgrade', (req, socket, head) => {
  socket.on('error', () => socket.destroy());
  const [pathname] = req.url.split('?');
  if (pathname !== '/ws') {
    socket.destroy();
    return;
  }
  wss.handleUpgrade(req, socket, head, (ws) => wss.emit('connection', ws, req));
});

wss.on('connection', (ws) => {
  ws.on('error', () => {});
  ws.on('message', (data) => ws.send(data.toString().toUpperCase()));
});

server.listen(process.env.PORT || 8080);
