// clean: all
const http = require('http');
const { WebSocket, WebSocketServer } = require('ws');

const wss = new WebSocketServer({ noServer: true, maxPayload: 1024 });
const server = http.createServer((req, res) => {
  if (req.method === 'POST') broadcast(JSON.stringify({ at: Date.now(), path: req.url }));
  res.end();
});

function broadcast(text) {
  wss.clients.forEach((client) => {
    if (client.readyState !== WebSocket.OPEN) return;
    if (client.bufferedAmount > 1024 * 1024) return client.terminate();
    client.send(text);
  });
}

server.on('upgrade', (req, socket, head) => {
  socket.on('error', () => socket.destroy());
  wss.handleUpgrade(req, socket, head, (ws) => {
    ws.isAlive = true;
    ws.on('error', () => {});
    ws.on('pong', () => (ws.isAlive = true));
  });
});

const timer = setInterval(() => {
  wss.clients.forEach((ws) => {
    if (!ws.isAlive) return ws.terminate();
    ws.isAlive = false;
    ws.ping();
  });
}, 30000);
server.on('close', () => clearInterval(timer));
server.listen(process.env.PORT || 8080);
