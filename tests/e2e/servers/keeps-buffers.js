// Planted: 16 KB of memory outside the JavaScript heap per connection, touched.
'use strict';
const frames = [];

require('./listen').serve(() => frames.push(Buffer.allocUnsafeSlow(16384).fill(1)));
