// Three workers, each of which ends with exit code 7 at its 50th connection.
'use strict';
let connections = 0;

require('./cluster').serve(() => {
  if (++connections === 50) process.exit(7);
});
