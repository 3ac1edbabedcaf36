// clean
import { createServer } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';

/** One upstream connection a symbol, opened for the first who asks and closed after the last. */
class Upstreams {
  readonly #shared = new Map<string, { socket: WebSocket; readers: Set<WebSocket> }>();

  acquire(symbol: string, reader: WebSocket): void {
    let entry = this.#shared.get(symbol);
    if (!entry) {
      const socket = new WebSocket(`ws://127.0.0.1:9090/${symbol}`);
      const readers = new Set<WebSocket>();
      socket.on('error', (error) => console.error(symbol, error.message));
      socket.on('message', (data) => readers.forEach((r) => r.send(data.toString())));
      entry = { socket, readers };
      this.#shared.set(symbol, entry);
    }
    entry.readers.add(reader);
  }

  release(symbol: string, reader: WebSocket): void {
    const entry = this.#shared.get(symbol);
    if (!entry?.readers.delete(reader) || entry.readers.size > 0) return;
    this.#shared.delete(symbol);
    entry.socket.close();
  }
}

const upstreams = new Upstreams();
const server = createServer();
const wss = new WebSocketServer({ server });

wss.on('connection', (reader, request) => {
  const symbol = encodeURIComponent((request.url ?? '/').slice(1, 12));
  upstreams.acquire(symbol, reader);
  reader.on('error', () => reader.terminate());
  reader.on('close', () => upstreams.release(symbol, reader));
});

server.listen(Number(process.env.PORT ?? 8080));
