// clean
const { EventEmitter } = require('events');
const fs = require('fs');
const { Server } = require('ws');

const bus = new EventEmitter().setMaxListeners(0);
const wss = new Server({ port: process.env.PORT || 8080 });

function interval(disposers, ms, fn) {
  const id = setInterval(fn, ms);
  disposers.add(() => clearInterval(id));
}

function listen(disposers, emitter, event, fn) {
  emitter.on(event, fn);
  disposers.add(() => emitter.off(event, fn));
}

wss.on('connection', (ws) => {
  const disposers = new Set();

  interval(disposers, 1000, () => ws.send('tick'));
  interval(disposers, 60_000, () => ws.ping());
  listen(disposers, bus, 'notice', (text) => ws.send(text));
  const watcher = fs.watch('/etc/hosts', () => bus.emit('notice', 'hosts changed'));
  watcher.on('error', (err) => console.error(err));
  disposers.add(() => watcher.close());

  ws.on('error', (err) => console.error(err));
  ws.on('close', () => {
    for (const dispose of disposers) dispose();
    disposers.clear();
  });
});
