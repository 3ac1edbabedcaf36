// Answers each byte with a byte after DELAY_MS: a database that takes its time.
'use strict';
require('./listen').listen(
  require('node:net').createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (asked) =>
      setTimeout(() => socket.write('!'.repeat(asked.length)), Number(process.env.DELAY_MS)),
    );
  }),
);
