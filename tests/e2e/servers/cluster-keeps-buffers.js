// Planted: in each of three workers 256 KB of memory outside the JavaScript heap per connection,
// touched.
'use strict';
const frames = [];

require('./cluster').serve(() => frames.push(Buffer.allocUnsafeSlow(262144).fill(1)));
