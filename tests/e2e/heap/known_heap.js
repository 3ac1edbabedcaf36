// A heap whose every population is known. Commands by standard input: gc, snapshot PATH, ping, exit.
'use strict';
const v8 = require('v8');
const vm = require('vm');
const net = require('net');
const { Worker } = require('worker_threads');

class Session {
  #secret = { hidden: true };
  constructor(id) {
    this.id = id;
    this.data = [id, `payload of ${id}`];
  }
  secret() {
    return this.#secret;
  }
}

class Premium extends Session {
  constructor(id) {
    super(id);
    this.extras = new Map([[id, new Extra()]]);
  }
}

class Extra {}
class Item {}
class Entry {}
class Dropped {}
class Watched {}
class Registered {}
class Metadata {}
class LostMetadata {}
class Current {}
class Waiting {}
class Numbered {}
class ForeignObject {}
class GlobalThing {}
class Wide {}
class Held {}
class Crowded {}

const sessions = new Map();
const premium = new Set();
const items = [];
const by_name = {};
const listeners = [];
const buffers = [];
const metadata = new WeakMap();
const watchers = [];
const registry = new FinalizationRegistry(() => {});
const wide = new Wide();
const tag = Symbol('tag');
let current = new Current();

for (let i = 0; i < 1000; i++) sessions.set(i, new Session(i));
for (let i = 0; i < 40; i++) sessions.delete(i);
for (let i = 0; i < 500; i++) premium.add(new Premium(i));
for (let i = 0; i < 700; i++) items.push(new Item());
for (let i = 0; i < 300; i++) by_name[`name ${i}`] = new Entry();
delete by_name['name 0'];
for (let i = 0; i < 200; i++) wide[`field_${i}`] = new Numbered();
for (const each of premium) metadata.set(each, new Metadata());
for (let i = 0; i < 10; i++) buffers.push(Buffer.alloc(1 << 20));
current[tag] = new Held();
globalThis.global_thing = new GlobalThing();

function make_listener(id) {
  return function listener() { return id; };
}
for (let i = 0; i < 250; i++) listeners.push(make_listener(i));

const pending = [];
const resolvers = [];
async function wait_for_ever(value) {
  await new Promise((resolve) => resolvers.push(resolve));
  return value;
}
for (let i = 0; i < 60; i++) pending.push(wait_for_ever(new Waiting()));

(function make_garbage() {
  for (let i = 0; i < 400; i++) new Dropped().self = new Dropped();
  for (let i = 0; i < 50; i++) {
    watchers.push(new WeakRef(new Watched()));
    registry.register(new Registered(), i);
    metadata.set({}, new LostMetadata());
  }
})();

const context = vm.createContext({ ForeignObject });
vm.runInContext('var foreign = []; for (let i = 0; i < 30; i++) foreign.push(new ForeignObject());',
                context);

(function lose_a_context() {
  vm.runInContext('class LostInContext {} globalThis.lost = [new LostInContext()];',
                  vm.createContext({}));
})();

// So many variables that their names are in a table.
const crowd_names = Array.from({ length: 90 }, (_, i) => `crowd_${i}`);
const crowd = new Function('Crowded', `let ${crowd_names.map((name) => name + ' = new Crowded()')};
  return () => [${crowd_names}];`)(Crowded);

const server = net.createServer((socket) => socket.on('error', () => {}));
const population = () => [cleared, over, sessions, premium, items, by_name, listeners, buffers, metadata, watchers,
                          registry, wide, pending, resolvers, context, crowd, server, current, tag];

const worker = new Worker(`
  class Job {}
  const jobs = [];
  for (let i = 0; i < 123; i++) jobs.push(new Job());
  require('worker_threads').parentPort.on('message', () => jobs.length);
  require('worker_threads').parentPort.postMessage('ready');
`, { eval: true });

// Timers that run, and some that do not: cleared, or over.
const hour = 3600 * 1000;
const sessions_end = () => sessions.clear();
for (let i = 0; i < 40; i++) setTimeout(sessions_end, hour);
for (let i = 0; i < 3; i++) setInterval(sessions_end, hour / 3 + 0.5);
for (let i = 0; i < 20; i++) setTimeout(sessions_end.bind(null), 2 * hour);
const cleared = Array.from({ length: 50 }, () => setTimeout(sessions_end, hour / 2));
cleared.forEach(clearTimeout);
const over = Array.from({ length: 50 }, () => setTimeout(() => {}, 1));

function obey(command) {
  const [name, argument] = command.split(' ');
  if (name === 'gc') gc();
  if (name === 'snapshot') v8.writeHeapSnapshot(argument);
  if (name === 'population') population();
  if (name === 'exit') process.exit(0);
  console.log('done');
}

// Sockets that nothing but the event loop holds.
const connections = 8;
let connected = 0;
worker.once('message', () => {
  server.on('connection', () => {
    if (++connected === connections) setTimeout(() => console.log('ready'), 50);
  });
  server.listen(0, '127.0.0.1', () => {
    for (let i = 0; i < connections; i++) net.connect(server.address().port, '127.0.0.1');
  });
});
require('readline').createInterface({ input: process.stdin }).on('line', obey);
//# sourceMappingURL=known_heap.js.map
