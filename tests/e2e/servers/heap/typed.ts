// Planted: each connection's Subscriber stays with its match. Compiled by the test, with a source map.
import { serve } from '../listen';

interface Socket {
  send(text: string): void;
  on(event: 'message', handler: () => void): void;
}

class Subscriber {
  readonly scores: (number | null)[] = new Array(250).fill(null);
  constructor(readonly socket: Socket) {}
}

const matchSubscribers = new Map<number, Set<Subscriber>>();

function subscribe(matchId: number, socket: Socket): void {
  const subscribers = matchSubscribers.get(matchId) ?? new Set<Subscriber>();
  subscribers.add(new Subscriber(socket));
  matchSubscribers.set(matchId, subscribers);
}

serve((socket: Socket) => subscribe(1, socket));
