// clean
import { EventEmitter } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';

const sensors = new EventEmitter();
sensors.setMaxListeners(0);
setInterval(() => sensors.emit('sample', process.memoryUsage.rss()), 1000).unref();

class Subscription implements Disposable {
  readonly #handler: (bytes: number) => void;
  readonly #flush: NodeJS.Timeout;
  #latest = 0;

  constructor(socket: WebSocket) {
    this.#handler = (bytes) => {
      this.#latest = bytes;
    };
    this.#flush = setInterval(() => socket.send(String(this.#latest)), 5000);
    sensors.on('sample', this.#handler);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#flush);
    sensors.off('sample', this.#handler);
  }
}

const wss = new WebSocketServer({ port: Number(process.env.PORT ?? 8080) });
wss.on('connection', (socket) => {
  const subscription = new Subscription(socket);
  socket.on('error', () => socket.terminate());
  socket.on('close', () => subscription[Symbol.dispose]());
});
