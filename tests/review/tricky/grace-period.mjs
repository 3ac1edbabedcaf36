// clean
import { randomUUID } from 'node:crypto';
import { WebSocketServer } from 'ws';

const GRACE_MS = 30_000;
const sessions = new Map();

function resume(token) {
  const session = sessions.get(token);
  if (session === undefined) return undefined;
  clearTimeout(session.expiry);
  session.expiry = undefined;
  return session;
}

function begin() {
  const session = { token: randomUUID(), ws: undefined, missed: [], expiry: undefined };
  sessions.set(session.token, session);
  return session;
}

const wss = new WebSocketServer({ port: process.env.PORT ?? 8080 });

wss.on('connection', (ws, req) => {
  const session = resume(req.headers['x-session']) ?? begin();
  session.ws?.terminate();
  session.ws = ws;
  ws.send(JSON.stringify({ token: session.token, missed: session.missed.splice(0) }));

  ws.on('error', () => ws.terminate());
  ws.on('message', (data) => {
    for (const other of sessions.values()) {
      if (other.ws) other.ws.send(data.toString());
      else if (other.missed.length < 100) other.missed.push(data.toString());
    }
  });

  // A phone in a lift comes back within seconds; after thirty it is not expected any more.
  ws.on('close', () => {
    if (session.ws !== ws) return;
    session.ws = undefined;
    session.expiry = setTimeout(() => sessions.delete(session.token), GRACE_MS);
  });
});
