// Planted: each connection listens to a feed that outlives it, and never stops listening.
'use strict';
const { EventEmitter } = require('node:events');
const { serve } = require('../listen');

const feed = new EventEmitter().setMaxListeners(0);

serve((socket) => {
  feed.on('score', function sendScore(score) {
    socket.send(String(score));
  });
});
