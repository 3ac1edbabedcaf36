// clean: all

/** How many sockets an address holds open; an address without one is forgotten. */
export class AddressLimit {
  readonly #open = new Map<string, number>();

  constructor(private readonly most: number) {}

  take(address: string): boolean {
    const held = this.#open.get(address) ?? 0;
    if (held >= this.most) return false;
    this.#open.set(address, held + 1);
    return true;
  }

  give(address: string): void {
    const held = this.#open.get(address) ?? 0;
    if (held > 1) this.#open.set(address, held - 1);
    else this.#open.delete(address);
  }
}

/** A token bucket: bursts up to `size`, `perSecond` in the long run. */
export class Bucket {
  #tokens: number;
  #filled = performance.now();

  constructor(
    private readonly size: number,
    private readonly perSecond: number,
  ) {
    this.#tokens = size;
  }

  take(): boolean {
    const now = performance.now();
    const earned = ((now - this.#filled) / 1000) * this.perSecond;
    this.#tokens = Math.min(this.size, this.#tokens + earned);
    this.#filled = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
