import { EventEmitter } from 'node:events';

export const orders = new EventEmitter();
orders.setMaxListeners(0);

let number = 1000;

export function place(customer, items) {
  const order = { number: ++number, customer, items };
  orders.emit('placed', order);
  return order;
}
