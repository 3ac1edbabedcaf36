// Planted: every connection's socket and 64 KB of JavaScript heap with it.
'use strict';
const sessions = new Map();
let next = 0;

require('./listen').serve((socket) => {
  sessions.set(++next, { socket, replay: new Array(8192).fill(null) });
});
