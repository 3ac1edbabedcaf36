// clean: all
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Fixtures } from './fixtures.js';
import type { Hub } from './hub.js';
import { AddressLimit } from './rate-limit.js';
import type { Guard } from './security.js';
import { Session } from './session.js';

interface Dependencies {
  hub: Hub;
  fixtures: Fixtures;
  guard: Guard | undefined;
}

const HEARTBEAT_MS = 30_000;

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

export function attachGateway(server: Server, { hub, fixtures, guard }: Dependencies) {
  const wss = new WebSocketServer({ noServer: true, maxPayload: 8 * 1024 });
  const limit = new AddressLimit(Number(process.env.PER_ADDRESS ?? 1000));
  const sessions = new Map<WebSocket, { session: Session; alive: boolean }>();

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const onError = () => socket.destroy();
    socket.on('error', onError);
    try {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      if (pathname !== '/ws') {
        refuse(socket, '404 Not Found');
        return;
      }
      if (guard && !(await guard(request))) {
        refuse(socket, '403 Forbidden');
        return;
      }
      socket.off('error', onError);
      wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request));
    } catch (error) {
      console.error('upgrade:', error);
      socket.destroy();
    }
  }
  server.on('upgrade', upgrade);

  wss.on('connection', (ws, request) => {
    ws.on('error', (error) => console.error('socket:', error.message));

    const address = request.socket.remoteAddress ?? 'unknown';
    if (!limit.take(address)) {
      ws.close(1013, 'too many connections');
      return;
    }

    const user = String(request.headers['x-user'] ?? `guest-${address}`);
    const entry = { session: new Session(ws, user, hub, fixtures), alive: true };
    sessions.set(ws, entry);

    ws.on('pong', () => {
      entry.alive = true;
    });
    ws.on('close', () => {
      sessions.delete(ws);
      limit.give(address);
      entry.session.end();
    });
  });

  const heartbeat = setInterval(() => {
    for (const [ws, entry] of sessions) {
      if (!entry.alive) {
        sessions.delete(ws);
        ws.terminate();
        continue;
      }
      entry.alive = false;
      ws.ping();
    }
  }, HEARTBEAT_MS);
  wss.on('close', () => clearInterval(heartbeat));

  return wss;
}
