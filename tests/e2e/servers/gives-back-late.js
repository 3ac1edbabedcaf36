// Every connection leaves a session of about 3 KB behind. PLANT says what becomes of it: a timer of
// its own ends it, a sweep finds it too old, or nothing does.
'use strict';
const sessions = new Map();
let next = 0;

const plants = {
  timer: { onClose: (id) => setTimeout(() => sessions.delete(id), 12_000) },
  sweep: { every: 1000, sweep: sweep },
  never: { every: 1000, sweep: () => {} },
};

function sweep() {
  for (const [id, session] of sessions) {
    if (Date.now() - session.born > 14_000) sessions.delete(id);
  }
}

const plant = plants[process.env.PLANT];
if (plant.sweep) setInterval(plant.sweep, plant.every);

require('./listen').serve((socket) => {
  const id = next++;
  sessions.set(id, { born: Date.now(), data: new Array(300).fill(id) });
  socket.on('close', () => plant.onClose?.(id));
});
