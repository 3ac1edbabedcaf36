// clean
import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { RawData, WebSocket } from 'ws';
import { TrackedServer } from './tracked-server.js';

type Round = { secret: number; tries: number };

class GuessingGame extends TrackedServer<Round> {
  constructor(http: Server) {
    super(http);
  }

  protected opened(socket: WebSocket): void {
    this.states.set(socket, { secret: randomInt(1, 101), tries: 0 });
  }

  protected received(socket: WebSocket, data: RawData): void {
    const round = this.states.get(socket);
    if (!round) return;
    round.tries += 1;
    const guess = Number(data.toString());
    if (guess === round.secret) socket.close(1000, `won after ${round.tries}`);
    else socket.send(guess < round.secret ? 'higher' : 'lower');
  }
}

const http = createServer();
new GuessingGame(http);
http.listen(Number(process.env.PORT ?? 8080));
