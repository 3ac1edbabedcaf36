// Planted: a class keeps each connection's Client in a private field.
'use strict';
const { serve } = require('../listen');

class Client {
  constructor(socket) {
    this.socket = socket;
    this.scores = new Array(300).fill(null);
  }
}

class Hub {
  #clients = new Set();
  add(socket) {
    this.#clients.add(new Client(socket));
  }
}

const hub = new Hub();
serve((socket) => hub.add(socket));
