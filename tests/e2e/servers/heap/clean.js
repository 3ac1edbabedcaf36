// Does what the planted servers do, and gives everything back when a connection closes.
'use strict';
const { EventEmitter } = require('node:events');
const { serve } = require('../listen');

class Session {
  constructor(socket) {
    this.socket = socket;
    this.history = new Array(512).fill(null);
  }
}
const sessions = new Map();
const feed = new EventEmitter().setMaxListeners(0);
const recent = [];

serve((socket) => {
  const session = new Session(socket);
  const sendScore = (score) => socket.send(String(score));
  sessions.set(socket, session);
  feed.on('score', sendScore);
  const heartbeat = setInterval(() => socket.ping(), 600_000);
  recent.push(session.history.length);
  if (recent.length > 50) recent.shift();
  socket.on('close', () => {
    sessions.delete(socket);
    feed.off('score', sendScore);
    clearInterval(heartbeat);
  });
});
