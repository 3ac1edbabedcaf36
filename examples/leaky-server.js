// A live commentary server with a leak of the everyday kind. Clients subscribe to a match over
// /ws, editors POST commentary, subscribers get it. Each connection has a session, which keeps what
// was sent so that a client that reconnects can catch up. The sessions of a match are found through
// `subscribers`, and nobody takes a session out of it when its socket closes.
'use strict';
const http = require('node:http');
const { WebSocketServer, WebSocket } = require('ws');

const REPLAY_SLOTS = 8192; // 8 bytes each: 64 KB per session

const subscribers = new Map(); // match id -> Set of sessions

class Session {
  constructor(socket) {
    this.socket = socket;
    this.matches = new Set();
    this.replay = new Array(REPLAY_SLOTS).fill(null);
    this.sent = 0;
  }

  subscribe(matchId) {
    if (!subscribers.has(matchId)) subscribers.set(matchId, new Set());
    subscribers.get(matchId).add(this);
    this.matches.add(matchId);
    this.send({ type: 'subscribed', matchId });
  }

  send(message) {
    const text = JSON.stringify(message);
    this.replay[this.sent++ % REPLAY_SLOTS] = text;
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text);
  }
}

function onConnection(socket) {
  const session = new Session(socket);
  socket.on('error', () => socket.terminate());
  socket.on('message', (data) => {
    try {
      const message = JSON.parse(data);
      if (message.type === 'subscribe') session.subscribe(message.matchId);
    } catch {
      socket.close(1003, 'not JSON');
    }
  });
}

function onRequest(request, response) {
  const match = /^\/matches\/(\d+)\/commentary$/.exec(request.url);
  if (request.method !== 'POST' || !match) return response.writeHead(404).end();
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    const matchId = Number(match[1]);
    for (const session of subscribers.get(matchId) ?? []) {
      session.send({ type: 'commentary', matchId, body });
    }
    response.writeHead(201).end();
  });
}

const server = http.createServer(onRequest);
new WebSocketServer({ server, path: '/ws' }).on('connection', onConnection);
server.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});
