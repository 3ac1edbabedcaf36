// clean
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
  sockets.add(ws);
  ws.matches.add(matchId);
}

function dropEverywhere(ws) {
  for (const matchId of ws.matches) {
    const sockets = matchSubscribers.get(matchId);
    if (!sockets) continue;
    sockets.delete(ws);
    if (sockets.size === 0) matchSubscribers.delete(matchId);
  }
}

wss.on('connection', (ws) => {
  ws.matches = new Set();
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
    dropEverywhere(ws);
  });
});

server.listen(process.env.PORT || 8080);
