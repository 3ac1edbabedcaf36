// clean
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';

interface Table {
  seat(player: Player): void;
  unseat(player: Player): void;
}

class RoundTable implements Table {
  private readonly players: Player[] = [];

  seat(player: Player): void {
    this.players.push(player);
    this.players.forEach((p) => p.tell(`${this.players.length} at the table`));
  }

  unseat(player: Player): void {
    const index = this.players.indexOf(player);
    if (index !== -1) this.players.splice(index, 1);
  }
}

class Player {
  private clock?: NodeJS.Timeout;
  readonly id = createHash('sha1').update(String(Math.random())).digest('hex').slice(0, 8);

  constructor(
    private readonly socket: WebSocket,
    private readonly table: Table,
  ) {
    this.table.seat(this);
    this.startClock();
  }

  tell(text: string): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text);
  }

  moved(): void {
    this.startClock();
  }

  destroy(): void {
    clearTimeout(this.clock);
    this.table.unseat(this);
  }

  private startClock(): void {
    clearTimeout(this.clock);
    this.clock = setTimeout(() => this.socket.close(4008, 'too slow'), 90_000);
  }
}

const table = new RoundTable();
const server = createServer();
new WebSocketServer({ server }).on('connection', (socket) => {
  const player = new Player(socket, table);
  socket.on('message', () => player.moved());
  socket.on('error', () => socket.terminate());
  socket.on('close', () => player.destroy());
});
server.listen(Number(process.env.PORT ?? 8080));
