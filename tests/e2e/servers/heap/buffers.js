// Planted: 32 KB outside the JavaScript heap per connection, kept whole by a view of 16 bytes.
'use strict';
const { serve } = require('../listen');

const headers = [];

serve(() => {
  const frame = Buffer.allocUnsafeSlow(32768).fill(1);
  headers.push(frame.subarray(0, 16));
});
