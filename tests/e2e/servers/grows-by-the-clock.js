// Planted: 200 KB of JavaScript heap per second, whatever the connections do.
'use strict';
const samples = [];
setInterval(() => samples.push(new Array(2560).fill(null)), 100);

require('./listen').serve(() => {});
