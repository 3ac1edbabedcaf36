// clean: all
import type { IncomingMessage } from 'node:http';

export type Guard = (request: IncomingMessage) => Promise<boolean>;

/** Asks Arcjet about each upgrade, if there is a key for it. A true answer lets the client in. */
export async function createGuard(key: string | undefined): Promise<Guard | undefined> {
  if (!key) return undefined;
  const { default: arcjet, shield, slidingWindow } = await import('@arcjet/node');
  const client = arcjet({
    key,
    rules: [
      shield({ mode: 'LIVE' }),
      slidingWindow({ mode: 'LIVE', interval: '2s', max: 5 }),
    ],
  });
  return async (request) => {
    const decision = await client.protect(request);
    return !decision.isDenied();
  };
}
