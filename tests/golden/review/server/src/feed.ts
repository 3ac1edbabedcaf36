import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';

export const goals = new EventEmitter();
export const cards = new EventEmitter();

export function follow(ws: WebSocket) {
  const onGoal = (goal: object) => ws.send(JSON.stringify(goal));
  goals.on('goal', onGoal);
  cards.on('card', (card: object) => ws.send(JSON.stringify(card)));
  return () => goals.off('goal', onGoal);
}
