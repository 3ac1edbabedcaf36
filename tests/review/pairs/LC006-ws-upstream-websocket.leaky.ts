import http from 'node:http';
import { WebSocket, WebSocketServer, type RawData } from 'ws';

const UPSTREAM = process.env.UPSTREAM ?? 'ws://127.0.0.1:9090/feed';

class Tunnel {
  readonly #inner: WebSocket;
  readonly #queue: RawData[] = [];

  constructor(readonly outer: WebSocket) {
    this.#inner = new WebSocket(UPSTREAM); // expect: LC006
    this.#inner.on('open', () => {
      for (const data of this.#queue.splice(0)) this.#inner.send(data);
    });
    this.#inner.on('message', (data) => this.#toOuter(data));
    this.#inner.on('error', () => outer.close(1011));
    outer.on('message', (data) => this.#toInner(data));
    outer.on('error', (error) => console.error(error.message));
    outer.on('close', () => this.#closed());
  }

  #toInner(data: RawData): void {
    if (this.#inner.readyState === WebSocket.OPEN) this.#inner.send(data);
    else if (this.#queue.length < 100) this.#queue.push(data);
  }

  #toOuter(data: RawData): void {
    if (this.outer.readyState === WebSocket.OPEN) this.outer.send(data);
  }

  #closed(): void {
    this.#queue.length = 0;
  }
}

const server = http.createServer();
new WebSocketServer({ server }).on('connection', (ws) => new Tunnel(ws));
server.listen(Number(process.env.PORT ?? 8080));
