// clean: all
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

export type Status = 'scheduled' | 'live' | 'finished';

export interface Match {
  readonly id: number;
  readonly home: string;
  readonly away: string;
  status: Status;
}

const TEAMS = ['Harbour', 'Mill Lane', 'Northgate', 'Priory', 'Quayside', 'Saltmarsh'];

/** The season's matches. Emits 'status' with the match when a referee's app says so. */
export class Fixtures extends EventEmitter {
  readonly #matches: ReadonlyMap<number, Match>;

  constructor() {
    super();
    this.setMaxListeners(0);
    const matches = TEAMS.flatMap((home) =>
      TEAMS.filter((away) => away !== home).map((away) => ({ home, away })),
    );
    this.#matches = new Map(
      matches.map((teams, index) => [index + 1, { id: index + 1, status: 'live', ...teams }]),
    );
  }

  async find(id: number): Promise<Match | undefined> {
    await delay(2); // as far as the database is
    return this.#matches.get(id);
  }

  async setStatus(id: number, status: Status): Promise<boolean> {
    const match = await this.find(id);
    if (!match) return false;
    match.status = status;
    this.emit('status', match);
    return true;
  }
}
