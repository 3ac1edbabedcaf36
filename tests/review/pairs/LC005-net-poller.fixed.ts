// clean
import { readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';

class Poller {
  private timer: NodeJS.Timeout | undefined;
  private last = '';

  constructor(
    private readonly socket: Socket,
    private readonly path: string,
  ) {}

  start(everyMs: number): this {
    this.timer = setInterval(() => void this.poll(), everyMs);
    return this;
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private async poll(): Promise<void> {
    try {
      const text = await readFile(this.path, 'utf8');
      if (text !== this.last && this.socket.writable) this.socket.write(text);
      this.last = text;
    } catch (error) {
      this.socket.destroy(error as Error);
    }
  }
}

const server = createServer((socket) => {
  const poller = new Poller(socket, '/proc/loadavg').start(500);
  socket.on('error', (error) => console.warn(error.message));
  socket.on('close', () => poller.stop());
});
server.listen(Number(process.env.PORT ?? 7000));
