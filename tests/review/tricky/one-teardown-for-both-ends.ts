// clean
import http from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';

const wss = new WebSocketServer({ noServer: true, maxPayload: 1 << 20 });
const server = http.createServer((_req, res) => void res.writeHead(426).end());
const pairs = new Set<readonly [WebSocket, WebSocket]>();

function join(browser: WebSocket, backend: WebSocket): void {
  const pair = [browser, backend] as const;
  let ended = false;
  pairs.add(pair);

  const end = () => {
    if (ended) return;
    ended = true;
    pairs.delete(pair);
    for (const side of pair) side.terminate();
  };

  for (const [from, to] of [pair, [backend, browser] as const]) {
    from.on('message', (data, binary) => {
      if (to.readyState === WebSocket.OPEN) to.send(data, { binary });
    });
    from.on('close', end);
    from.on('error', end);
  }
}

server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => socket.destroy());
  if (!request.url?.startsWith('/backend/')) {
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    return;
  }
  wss.handleUpgrade(request, socket, head, (browser) => {
    join(browser, new WebSocket('ws://127.0.0.1:9090/'));
  });
});

server.listen(Number(process.env.PORT ?? 8080));
