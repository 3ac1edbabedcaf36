// clean: all
import { WebSocket, type RawData } from 'ws';
import type { Fixtures, Match } from './fixtures.js';
import type { Hub } from './hub.js';
import { Bucket } from './rate-limit.js';

interface Request {
  type?: string;
  matchId?: number;
  to?: string;
  text?: string;
}

/** One client from its upgrade to its close. */
export class Session {
  readonly #bucket = new Bucket(20, 5);
  #strikes = 0;
  #clock: NodeJS.Timeout | undefined;
  #odds: WebSocket | undefined;

  constructor(
    private readonly ws: WebSocket,
    private readonly user: string,
    private readonly hub: Hub,
    private readonly fixtures: Fixtures,
  ) {
    hub.enter(ws, user);
    fixtures.on('status', this.#onStatus);
    ws.on('message', this.#onMessage);
  }

  end(): void {
    this.fixtures.off('status', this.#onStatus);
    clearInterval(this.#clock);
    this.#odds?.terminate();
    this.hub.leave(this.ws, this.user);
  }

  readonly #onStatus = (match: Match): void => {
    this.#send({ type: 'status', matchId: match.id, status: match.status });
  };

  readonly #onMessage = (data: RawData): void => {
    if (!this.#bucket.take()) {
      this.#strike();
      return;
    }
    const request = this.#parse(data);
    if (!request) {
      this.#send({ type: 'error', reason: 'not a request' });
      return;
    }
    this.#answer(request).catch((error: Error) => {
      console.error('%s of %s: %s', request.type, this.user, error.message);
      this.#send({ type: 'error', reason: 'try again later' });
    });
  };

  #parse(data: RawData): Request | undefined {
    try {
      const request: unknown = JSON.parse(data.toString());
      return typeof request === 'object' && request !== null ? request : undefined;
    } catch {
      return undefined;
    }
  }

  async #answer(request: Request): Promise<void> {
    switch (request.type) {
      case 'subscribe':
        return this.#subscribe(Number(request.matchId));
      case 'unsubscribe':
        this.hub.unsubscribe(Number(request.matchId), this.ws);
        return this.#send({ type: 'unsubscribed', matchId: request.matchId });
      case 'whisper':
        return this.#whisper(`${request.to}`, `${request.text}`);
      case 'clock':
        return this.#startClock();
      case 'odds':
        return this.#followOdds(Number(request.matchId));
      default:
        return this.#send({ type: 'error', reason: 'unknown type' });
    }
  }

  async #subscribe(matchId: number): Promise<void> {
    const match = await this.fixtures.find(matchId);
    if (!this.#isOpen()) return;
    if (!match) return this.#send({ type: 'error', reason: 'no such match' });
    this.hub.subscribe(matchId, this.ws);
    this.#send({ type: 'subscribed', matchId, recent: this.hub.recent(matchId).slice(-5) });
  }

  #whisper(to: string, text: string): void {
    this.#send({ type: 'whispered', heard: this.hub.tell(to, text) });
  }

  #startClock(): void {
    clearInterval(this.#clock);
    this.#clock = setInterval(() => this.#send({ type: 'clock', now: Date.now() }), 1000);
  }

  #followOdds(matchId: number): void {
    this.#odds?.terminate();
    this.#odds = new WebSocket(`${process.env.ODDS_URL ?? 'ws://127.0.0.1:9400'}/${matchId}`);
    this.#odds.on('message', (odds) => this.#send({ type: 'odds', matchId, odds: `${odds}` }));
    this.#odds.on('error', () => this.#send({ type: 'error', reason: 'no odds' }));
  }

  #strike(): void {
    this.#strikes += 1;
    if (this.#strikes > 3) this.ws.close(1008, 'slow down');
  }

  #isOpen(): boolean {
    return this.ws.readyState === WebSocket.OPEN;
  }

  #send(message: object): void {
    if (this.#isOpen()) this.ws.send(JSON.stringify(message));
  }
}
