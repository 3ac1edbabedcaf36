// Ends with exit code 7 at its 250th connection.
'use strict';
let connections = 0;

require('./listen').serve(() => {
  if (++connections === 250) process.exit(7);
});
