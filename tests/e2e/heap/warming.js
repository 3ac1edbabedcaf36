// Keeps nothing new from the second `work` on, but has V8 compile more and more.
'use strict';
const hot = [];
for (let i = 0; i < 200; i++) {
  const body = `let s = ${i}; for (const k in x) s += x[k] * ${i}; return s;`;
  hot.push(new Function('x', body));
}

function obey(command) {
  const times = command === 'work' ? 3000 : 1;
  for (let i = 0; i < times; i++) for (const run of hot) run({ a: i, b: 1 });
  console.log('done');
}
require('readline').createInterface({ input: process.stdin }).on('line', obey);
console.log('ready');
