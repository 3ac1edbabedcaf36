// clean
const http = require('http');
const { WebSocketServer } = require('ws');

const server = http.createServer((req, res) => res.end());
const chat = new WebSocketServer({ noServer: true });
const news = new WebSocketServer({ noServer: true });

server.on('upgrade', (req, socket, head) => {
  socket.on('error', () => socket.destroy());
  const target = [chat, news][['/chat', '/news'].indexOf(req.url)];
  if (!target) return socket.destroy();
  target.handleUpgrade(req, socket, head, (ws) => target.emit('connection', ws, req));
});

for (const wss of [chat, news]) {
  wss.on('connection', (ws) => {
    ws.on('error', () => {});
    ws.on('message', (data) => ws.send(data));
  });
}

server.listen(process.env.PORT || 8080);
