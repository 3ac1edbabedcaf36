// Planted: each connection leaves a function in `afterRestart`.
'use strict';
const { serve } = require('../listen');

const afterRestart = [];

serve((socket) => {
  const subscription = { matchId: 1, frames: new Array(128).fill(null) };
  afterRestart.push(function resubscribe() {
    socket.send(JSON.stringify(subscription));
  });
});
