import { createServer } from 'node:http';
import { WebSocket, WebSocketServer, type RawData } from 'ws';

class PresenceServer {
  readonly #wss: WebSocketServer;
  readonly #online = new Set<WebSocket>();

  constructor(private readonly http = createServer()) {
    this.#wss = new WebSocketServer({ server: this.http });
    this.#wss.on('connection', this.handleConnection.bind(this));
  }

  listen(port: number): void {
    this.http.listen(port);
  }

  private handleConnection(socket: WebSocket): void {
    this.#online.add(socket); // expect: LC001
    socket.on('message', this.handleMessage.bind(this, socket));
    socket.on('close', this.handleClose.bind(this, socket));
    socket.on('error', (error) => console.warn(error.message));
    this.announce();
  }

  private handleMessage(socket: WebSocket, data: RawData): void {
    if (data.toString() === 'who') socket.send(String(this.#online.size));
  }

  private handleClose(_socket: WebSocket): void {
    this.announce();
  }

  private announce(): void {
    for (const peer of this.#online) {
      if (peer.readyState === WebSocket.OPEN) peer.send(`online:${this.#online.size}`);
    }
  }
}

new PresenceServer().listen(Number(process.env.PORT ?? 8080));
