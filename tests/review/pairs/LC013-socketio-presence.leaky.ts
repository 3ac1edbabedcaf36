import { createServer } from 'node:http';
import { Server, type Socket } from 'socket.io';

const httpServer = createServer();
const io = new Server<Record<string, (...args: unknown[]) => void>>(httpServer);

class Presence {
  readonly #current: Record<string, Socket> = {};

  enter(userId: string, socket: Socket): void {
    this.#current[userId] = socket; // expect: LC013
  }

  leave(userId: string): void {
    delete this.#current[userId];
  }

  get ids(): string[] {
    return Object.keys(this.#current);
  }
}

const presence = new Presence();

io.on('connection', (socket) => {
  const userId = String(socket.handshake.auth.userId ?? socket.id);
  presence.enter(userId, socket);
  io.emit('online', presence.ids);
  socket.on('disconnect', () => {
    presence.leave(userId);
    io.emit('online', presence.ids);
  });
});

httpServer.listen(Number(process.env.PORT ?? 3000));
