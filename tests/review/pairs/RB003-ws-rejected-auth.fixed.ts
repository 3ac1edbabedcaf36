// clean
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer((_, response) => response.writeHead(426).end());
const wss = new WebSocketServer({ noServer: true });

async function authenticate(cookie: string | undefined): Promise<boolean> {
  const headers = { cookie: cookie ?? '' };
  const answer = await fetch('http://127.0.0.1:9700/session', { headers });
  return answer.ok;
}

server.on('upgrade', async (request, socket, head) => {
  const onError = () => socket.destroy();
  socket.on('error', onError);
  try {
    if (await authenticate(request.headers.cookie)) {
      socket.off('error', onError);
      wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request));
    } else {
      socket.write('HTTP/1.1 401 Unauthorized\r\n\r\n');
      socket.destroy();
    }
  } catch (error) {
    console.error('session service:', error);
    socket.destroy();
  }
});

wss.on('connection', (ws) => {
  ws.on('error', (error) => console.error(error));
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
});
server.listen(Number(process.env.PORT ?? 8080));
