import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer();
const wss = new WebSocketServer({ noServer: true });

server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => socket.destroy());
  if (request.url !== '/shell') return socket.destroy();
  wss.handleUpgrade(request, socket, head, accept);
});

function accept(ws) { // expect: RB001
  let count = 0;
  ws.on('message', () => ws.send(String(++count)));
}

server.listen(process.env.PORT ?? 8080);
