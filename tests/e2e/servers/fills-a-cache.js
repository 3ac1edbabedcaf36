// Planted: nothing. A cache takes 64 KB per connection until it has 400 entries.
'use strict';
const cache = new Map();
let next = 0;

require('./listen').serve(() => {
  cache.set(++next, new Array(8192).fill(null));
  if (cache.size > 400) cache.delete(cache.keys().next().value);
});
