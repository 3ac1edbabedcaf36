// A supervisor: dies.js, again on the same port whenever it has ended.
'use strict';
const { spawn } = require('node:child_process');
const net = require('node:net');
const path = require('node:path');

function start(port) {
  const child = spawn(process.execPath, [path.join(__dirname, 'dies.js')], {
    env: { ...process.env, PORT: String(port) },
    stdio: 'inherit',
  });
  child.on('exit', () => start(port));
  process.once('exit', () => child.kill());
}

const probe = net.createServer().listen(0, '127.0.0.1', () => {
  const { port } = probe.address();
  probe.close(() => start(port));
});
