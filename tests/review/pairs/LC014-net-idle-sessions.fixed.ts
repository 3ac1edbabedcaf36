// clean
import { createServer, type Socket } from 'node:net';

interface Session {
  socket: Socket;
  bytes: number;
  touched: number;
}

export class SessionTable {
  #sessions: Session[] = [];

  constructor(private readonly idleMs: number) {
    setInterval(() => this.#sweep(Date.now()), idleMs).unref();
  }

  begin(socket: Socket): Session {
    const session = { socket, bytes: 0, touched: Date.now() };
    this.#sessions.push(session);
    return session;
  }

  end(session: Session): void {
    this.#sessions = this.#sessions.filter((s) => s !== session);
  }

  #sweep(now: number): void {
    this.#sessions = this.#sessions.filter(({ socket, touched }) => {
      if (now - touched < this.idleMs) return true;
      socket.destroy();
      return false;
    });
  }
}

const table = new SessionTable(600_000);

createServer((socket) => {
  const session = table.begin(socket);
  socket.on('error', (error) => console.error(error.message));
  socket.on('data', (chunk) => {
    session.bytes += chunk.length;
    session.touched = Date.now();
  });
  socket.on('close', () => table.end(session));
}).listen(Number(process.env.PORT ?? 7003));
