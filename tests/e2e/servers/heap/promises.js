// Planted: each connection waits for an answer that never comes; `waiting` keeps who would give it.
'use strict';
const { serve } = require('../listen');

const waiting = new Set();

async function authorise(socket) {
  const ticket = { asked: Date.now(), scopes: new Array(200).fill(null) };
  await new Promise((resolve) => waiting.add(resolve));
  socket.send(String(ticket.asked));
}

serve((socket) => void authorise(socket));
