// Planted: each connection's Session stays in `sessions`, which nothing empties.
'use strict';
const { serve } = require('../listen');

class Session {
  constructor(socket) {
    this.socket = socket;
    this.opened = Date.now();
    this.history = new Array(512).fill(null);
  }
}
const sessions = new Map();
let next = 0;

serve((socket) => sessions.set(++next, new Session(socket)));
