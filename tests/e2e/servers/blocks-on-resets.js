// Planted: whoever is reset costs the event loop 300 ms, once for all that come together.
'use strict';
let busy = false;

function block() {
  if (busy) return;
  busy = true;
  setImmediate(() => (busy = false));
  const end = Date.now() + 300;
  while (Date.now() < end);
}

require('./listen').serve((socket) => socket._socket.on('error', block));
