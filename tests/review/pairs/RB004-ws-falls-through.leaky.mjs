import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer();
const admin = new WebSocketServer({ noServer: true });
const everyone = new WebSocketServer({ noServer: true, maxPayload: 1024 });

server.on('upgrade', (req, socket, head) => { // expect: RB004
  socket.on('error', () => socket.destroy());
  if (req.url === '/admin') {
    admin.handleUpgrade(req, socket, head, (ws) => admin.emit('connection', ws, req));
  }
  everyone.handleUpgrade(req, socket, head, (ws) => everyone.emit('connection', ws, req));
});

admin.on('connection', (ws) => {
  ws.on('error', (error) => console.error('admin', error.message));
  ws.send(`${everyone.clients.size} guests`);
});
everyone.on('connection', (ws) => {
  ws.on('error', () => ws.terminate());
  ws.send('welcome');
});

server.listen(process.env.PORT ?? 8080);
