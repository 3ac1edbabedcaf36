import net, { type Socket } from 'node:net';

/** A relay: "USE host port" picks where the bytes go, and may be said again. */
class Session {
  private upstream?: Socket;

  constructor(private readonly client: Socket) {
    client.on('data', (chunk) => this.received(chunk.toString('latin1')));
    client.on('error', () => client.destroy());
    client.on('close', () => this.upstream?.destroy());
  }

  private received(text: string): void {
    const use = /^USE (127\.0\.0\.\d+) (\d{1,5})\r?\n$/.exec(text);
    if (!use) {
      this.upstream?.write(text);
      return;
    }
    this.upstream = net.connect(Number(use[2]) % 65536, use[1]); // expect: LC003
    this.upstream.on('error', (error) => this.client.write(`ERR ${error.message}\n`));
    this.upstream.on('data', (chunk) => this.client.write(chunk));
  }
}

net.createServer((client) => void new Session(client)).listen(Number(process.env.PORT ?? 7070));
