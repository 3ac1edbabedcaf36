// A process whose heap holds known numbers of known things, and writes it to the file SNAPSHOT.
//   node heap_population.js SNAPSHOT
'use strict';
const { EventEmitter } = require('node:events');
const net = require('node:net');
const v8 = require('node:v8');

class Session {
  constructor(id) {
    this.id = `session-${id}`;
  }
}
class Kept {
  #list = [];
  add(item) {
    this.#list.push(item);
  }
}
class InSet {}
class InDictionary {}
class InSparseArray {}
class InPrivateField {}
class OfLiveKey {}
class OfDeadKey {}
class OfSocket {}
class Größe {}

const sessions = new Map();
const members = new Set();
const dictionary = {};
const sparse = {};
const callbacks = [];
const kept = new Kept();
const bus = new EventEmitter();
const liveKey = {};
const weak = new WeakMap([[liveKey, new OfLiveKey()]]);
const unicode = [new Größe(), new Größe()];
bus.setMaxListeners(0);

for (let i = 0; i < 101; ++i) sessions.set(`key-${i}`, new Session(i));
for (let i = 0; i < 10; ++i) sessions.delete(`key-${i}`);
for (let i = 0; i < 37; ++i) members.add(new InSet());
for (let i = 0; i < 59; ++i) dictionary[`name-${i}`] = new InDictionary();
for (let i = 0; i < 5; ++i) delete dictionary[`name-${i}`];
for (let i = 0; i < 53; ++i) sparse[i * 1000] = new InSparseArray();
for (let i = 0; i < 41; ++i) {
  const captured = { i };
  callbacks.push(function leakedCallback() {
    return captured;
  });
}
for (let i = 0; i < 43; ++i) kept.add(new InPrivateField());
for (let i = 0; i < 47; ++i) {
  bus.on('tick', function onTick() {
    return i;
  });
}
for (let i = 0; i < 50; ++i) weak.set({}, new OfDeadKey());
for (let i = 0; i < 67; ++i) {
  setInterval(function heartbeat() {
    return i;
  }, 1e6);
}

// A closure that sees them keeps the module's variables.
exports.all = () => ({
  ...{ sessions, members, dictionary, sparse, callbacks },
  ...{ kept, bus, weak, liveKey, unicode },
});

const socketCount = 23;
const server = net.createServer((socket) => {
  socket.tagged = new OfSocket();
  socket.resume();
  server.getConnections((error, count) => {
    if (count === socketCount) setImmediate(finish);
  });
});
function finish() {
  v8.writeHeapSnapshot(process.argv[2]);
  process.exit(0);
}
server.listen(0, '127.0.0.1', () => {
  for (let i = 0; i < socketCount; ++i) net.connect(server.address().port, '127.0.0.1');
});
//# sourceMappingURL=heap_population.js.map
