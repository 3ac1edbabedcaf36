// Planted: 20 KB of samples every 100 ms, 205 KB per second, whatever the connections do.
'use strict';
const start = performance.now();
const samples = [];
setInterval(() => {
  while (samples.length < (performance.now() - start) / 100) samples.push(new Float64Array(2560));
}, 100);

require('./listen').serve(() => {});
