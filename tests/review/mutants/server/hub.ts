// clean: all
import { WebSocket } from 'ws';

export interface Commentary {
  minute: number;
  text: string;
}

const KEPT = 50;
const MAX_BUFFERED = 1 << 20;

/** Who is here, under which name, and who follows which match. */
export class Hub {
  readonly #subscribers = new Map<number, Set<WebSocket>>();
  readonly #matchesOf = new Map<WebSocket, Set<number>>();
  readonly #users = new Map<string, WebSocket>();
  readonly #recent = new Map<number, Commentary[]>();

  enter(ws: WebSocket, user: string): void {
    this.#matchesOf.set(ws, new Set());
    this.#users.set(user, ws);
  }

  leave(ws: WebSocket, user: string): void {
    for (const matchId of this.#matchesOf.get(ws) ?? []) this.#remove(matchId, ws);
    this.#matchesOf.delete(ws);
    if (this.#users.get(user) === ws) this.#users.delete(user);
  }

  subscribe(matchId: number, ws: WebSocket): void {
    let sockets = this.#subscribers.get(matchId);
    if (!sockets) {
      sockets = new Set();
      this.#subscribers.set(matchId, sockets);
    }
    sockets.add(ws);
    this.#matchesOf.get(ws)?.add(matchId);
  }

  unsubscribe(matchId: number, ws: WebSocket): void {
    this.#matchesOf.get(ws)?.delete(matchId);
    this.#remove(matchId, ws);
  }

  recent(matchId: number): readonly Commentary[] {
    return this.#recent.get(matchId) ?? [];
  }

  publish(matchId: number, commentary: Commentary): number {
    const kept = this.#recent.get(matchId) ?? [];
    kept.push(commentary);
    if (kept.length > KEPT) kept.shift();
    this.#recent.set(matchId, kept);
    return this.#broadcast(matchId, JSON.stringify({ type: 'commentary', matchId, ...commentary }));
  }

  /** True if the user was there to hear it. */
  tell(user: string, text: string): boolean {
    const ws = this.#users.get(user);
    if (ws?.readyState !== WebSocket.OPEN) return false;
    ws.send(JSON.stringify({ type: 'whisper', text }));
    return true;
  }

  #broadcast(matchId: number, payload: string): number {
    let delivered = 0;
    for (const ws of this.#subscribers.get(matchId) ?? []) {
      if (ws.readyState !== WebSocket.OPEN) continue;
      if (ws.bufferedAmount > MAX_BUFFERED) {
        ws.terminate();
        continue;
      }
      ws.send(payload);
      delivered += 1;
    }
    return delivered;
  }

  #remove(matchId: number, ws: WebSocket): void {
    const sockets = this.#subscribers.get(matchId);
    if (!sockets) return;
    sockets.delete(ws);
    if (sockets.size === 0) this.#subscribers.delete(matchId);
  }
}
