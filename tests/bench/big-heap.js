// Holds as many records as it is told to. On SIGUSR2 it writes a snapshot of itself to the path in
// SNAPSHOT and says how many milliseconds nothing else ran.
'use strict';
const v8 = require('v8');

class Reading {
  constructor(id) {
    this.id = id;
    this.values = [id, id + 1];
    this.origin = { station: `station ${id}`, next: null };
  }
}

const readings = [];
for (let i = 0; i < Number(process.env.RECORDS); i++) readings.push(new Reading(i));
gc();
process.on('SIGUSR2', () => {
  const start = performance.now();
  v8.writeHeapSnapshot(process.env.SNAPSHOT);
  console.log(`written ${Math.round(performance.now() - start)} of ${readings.length}`);
});
setInterval(() => {}, 1 << 30);
console.log('ready');
