const http = require('http');
const { WebSocketServer } = require('ws');

const server = http.createServer((req, res) => res.end('scores\n'));
const wss = new WebSocketServer({ server, path: '/ws' });

// matchId -> sockets that follow it
const matchSubscribers = new Map();

function subscribe(matchId, ws) {
  let sockets = matchSubscribers.get(matchId);
  if (!sockets) {
    sockets = new Set();
    matchSubscribers.set(matchId, sockets);
  }
  sockets.add(ws); // expect: LC001
}

wss.on('connection', (ws) => {
  ws.on('error', (err) => console.error('ws:', err.message));

  ws.on('message', (raw) => {
    let msg;
    try {
      msg = JSON.parse(raw);
    } catch {
      ws.send('{"type":"error","reason":"bad json"}');
      return;
    }
    if (msg?.type === 'subscribe') {
      subscribe(msg.matchId, ws);
      ws.send(JSON.stringify({ type: 'subscribed', matchId: msg.matchId }));
    }
  });

  ws.on('close', () => {
    console.log('client left, %d still here', wss.clients.size);
  });
});

server.listen(process.env.PORT || 8080);
