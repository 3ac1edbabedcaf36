import { createServer, type Socket } from 'node:net';

type Reading = { sensor: string; value: number };

class Ingest {
  private buffered = '';
  private readonly sums: Record<string, number> = { temperature: 0, humidity: 0 };

  attach(socket: Socket): void {
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('data', (text: string) => this.feed(text, socket));
  }

  private feed(text: string, socket: Socket): void { // expect: RB005
    const lines = (this.buffered + text).slice(-1_000_000).split('\n');
    this.buffered = lines.pop() ?? '';
    for (const line of lines) {
      this.add(JSON.parse(line) as Reading);
    }
    socket.write(`${lines.length}\n`);
  }

  private add(reading: Reading): void {
    if (reading.sensor in this.sums) this.sums[reading.sensor] += reading.value;
  }
}

createServer((socket) => new Ingest().attach(socket)).listen(Number(process.env.PORT ?? 7006));
