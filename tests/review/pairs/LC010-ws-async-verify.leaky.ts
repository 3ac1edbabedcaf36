import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';

const server = createServer();
const wss = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 });

async function userOf(request: IncomingMessage): Promise<string | undefined> {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ');
  return scheme === 'Bearer' && token ? token : undefined;
}

async function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer) { // expect: LC010
  const onError = () => socket.destroy();
  socket.on('error', onError);
  try {
    const user = await userOf(request);
    if (!user) {
      console.warn('refused %s', request.socket.remoteAddress);
      return;
    }
    socket.off('error', onError);
    wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request));
  } catch {
    socket.destroy();
  }
}

server.on('upgrade', onUpgrade);
wss.on('connection', (ws) => {
  ws.on('error', (error) => console.error(error.message));
  ws.on('message', (data) => ws.send(data));
});
server.listen(Number(process.env.PORT ?? 8080));
