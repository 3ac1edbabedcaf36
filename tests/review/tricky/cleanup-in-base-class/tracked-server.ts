// clean
import type { Server } from 'node:http';
import { WebSocket, WebSocketServer, type RawData } from 'ws';

/** Keeps who is connected; what is done with a message is the subclass's business. */
export abstract class TrackedServer<State> {
  protected readonly states = new Map<WebSocket, State>();

  protected constructor(http: Server) {
    const wss = new WebSocketServer({ server: http });
    wss.on('connection', (socket) => {
      socket.on('message', (data) => this.received(socket, data));
      socket.on('close', () => this.closed(socket));
      socket.on('error', (error) => console.error(error.message));
      this.opened(socket);
    });
  }

  protected abstract opened(socket: WebSocket): void;
  protected abstract received(socket: WebSocket, data: RawData): void;

  protected closed(socket: WebSocket): void {
    this.states.delete(socket);
  }
}
