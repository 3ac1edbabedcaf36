// What the clustered servers share: a primary that starts three workers, starts another for each
// that dies, and announces the port when all of them listen.
'use strict';
const cluster = require('node:cluster');

const count = 3;

// Calls onConnection(socket) in a worker for each connection that it is handed.
function serve(onConnection) {
  if (cluster.isWorker) {
    require('./listen').serve(onConnection);
    return;
  }
  let listening = 0;
  cluster.on('listening', (worker, { port }) => {
    if (++listening === count) console.log(`listening on 127.0.0.1:${port}`);
  });
  cluster.on('exit', () => cluster.fork());
  for (let i = 0; i < count; i++) cluster.fork();
}

module.exports = { serve };
