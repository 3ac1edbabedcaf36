import type { WebSocket } from 'ws';

export class Hub {
  #subscribers = new Map<number, Set<WebSocket>>();
  #matches = new Map<WebSocket, Set<number>>();
  #log: string[] = [];

  subscribe(ws: WebSocket, matchId: number) {
    let watching = this.#subscribers.get(matchId);
    if (!watching) this.#subscribers.set(matchId, (watching = new Set()));
    watching.add(ws);
    let matches = this.#matches.get(ws);
    if (!matches) this.#matches.set(ws, (matches = new Set()));
    matches.add(matchId);
    this.#log.push(`${matchId} has ${watching.size}`);
  }

  leave(ws: WebSocket) {
    this.#matches.delete(ws);
    for (const matchId of this.#matches.get(ws) ?? []) this.#subscribers.get(matchId)?.delete(ws);
  }
}
