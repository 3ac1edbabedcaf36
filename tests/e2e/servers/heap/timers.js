// Planted: a heartbeat per connection that is never cleared.
'use strict';
const { serve } = require('../listen');

serve((socket) => {
  const seen = new Array(256).fill(null);
  setInterval(function heartbeat() {
    if (socket.readyState === 1) socket.ping(String(seen.length));
  }, 600_000);
});
