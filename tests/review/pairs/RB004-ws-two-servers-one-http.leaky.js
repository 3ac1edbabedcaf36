const http = require('http');
const { WebSocketServer } = require('ws');

const server = http.createServer((req, res) => res.end());
const chat = new WebSocketServer({ server, path: '/chat' });
const news = new WebSocketServer({ server, path: '/news' }); // expect: RB004

for (const wss of [chat, news]) {
  wss.on('connection', (ws) => {
    ws.on('error', () => {});
    ws.on('message', (data) => ws.send(data));
  });
}

server.listen(process.env.PORT || 8080);
