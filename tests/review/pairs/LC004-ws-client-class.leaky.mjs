import { EventEmitter } from 'node:events';
import { WebSocketServer } from 'ws';

class Auction extends EventEmitter {
  #best = 0;

  bid(amount, by) {
    if (amount <= this.#best) return false;
    this.#best = amount;
    this.emit('bid', amount, by);
    return true;
  }
}

class Bidder {
  #socket;
  #auction;

  constructor(socket, auction, name) {
    this.#socket = socket;
    this.#auction = auction;
    this.name = name;
    socket.on('message', (data) => auction.bid(Number(data), this));
    socket.on('error', (error) => console.error(name, error.code));
    socket.on('close', this.#left);
    auction.on('bid', this.#outbid); // expect: LC004
  }

  #outbid = (amount, by) => {
    if (by !== this) this.#socket.send(`outbid ${amount} by ${by.name}`);
  };

  #left = () => {
    this.#socket = { send() {} };
  };
}

const auction = new Auction();
auction.setMaxListeners(1000);
let seats = 0;

new WebSocketServer({ port: process.env.PORT ?? 8080 }).on('connection', (socket) => {
  new Bidder(socket, auction, `seat ${++seats}`);
});
