import type { IncomingMessage } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';

abstract class SocketService {
  protected sockets: WebSocket[] = [];

  constructor(port: number) {
    const server = new WebSocketServer({ port });
    server.on('connection', (socket, request) => {
      socket.on('error', (error) => this.failed(socket, error));
      socket.on('close', () => this.left(socket));
      this.arrived(socket, request);
    });
  }

  protected abstract arrived(socket: WebSocket, request: IncomingMessage): void;

  protected failed(socket: WebSocket, error: Error): void {
    console.error(error.message);
    socket.terminate();
  }

  protected left(socket: WebSocket): void {
    this.sockets = this.sockets.filter((other) => other !== socket);
  }
}

// Answers every number with its square, and tells everyone the highest seen.
class SquareService extends SocketService {
  private highest = 0;

  protected arrived(socket: WebSocket): void {
    this.sockets.push(socket); // expect: LC001
    socket.on('message', (data) => {
      const square = Number(data) ** 2;
      if (Number.isNaN(square)) return;
      this.highest = Math.max(this.highest, square);
      this.sockets.forEach((s) => s.readyState === s.OPEN && s.send(`max ${this.highest}`));
    });
  }

  protected override left(): void {
    console.log('one of %d left', this.sockets.length);
  }
}

new SquareService(Number(process.env.PORT ?? 8080));
