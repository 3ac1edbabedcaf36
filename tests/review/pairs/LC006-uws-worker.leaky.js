const { Worker } = require('node:worker_threads');
const uWS = require('uWebSockets.js');

const sources = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', (n) => parentPort.postMessage(Math.sqrt(n)));
`;

uWS.App()
  .ws('/compute', {
    maxBackpressure: 64 * 1024,
    open(ws) {
      const data = ws.getUserData();
      data.worker = new Worker(sources, { eval: true }); // expect: LC006
      data.worker.on('message', (root) => data.gone || ws.send(String(root)));
      data.worker.on('error', () => data.gone || ws.close());
    },
    message(ws, bytes) {
      ws.getUserData().worker.postMessage(Number(Buffer.from(bytes).toString()));
    },
    close(ws) {
      const data = ws.getUserData();
      data.gone = true;
    },
  })
  .listen(9001, (ok) => console.log(ok ? 'listening' : 'port taken'));
