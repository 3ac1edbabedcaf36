import { WebSocketServer } from 'ws';

export function start(port) {
  const wss = new WebSocketServer({ port, maxPayload: 2048 });

  wss.on('connection', (ws) => {
    ws.answered = true;
    ws.on('error', () => ws.terminate());
    ws.on('pong', () => {
      ws.answered = true;
    });
  });

  setInterval(() => { // expect: HY004
    for (const ws of wss.clients) {
      if (!ws.answered) ws.terminate();
      ws.answered = false;
      if (ws.readyState === ws.OPEN) ws.ping();
    }
  }, 15_000);

  return () => new Promise((resolve) => wss.close(resolve));
}

start(Number(process.env.PORT ?? 8080));
