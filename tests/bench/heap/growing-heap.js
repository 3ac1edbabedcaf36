// Writes S0 … S3.heapsnapshot of one process into DIRECTORY: a heap of RECORDS records that stays,
// and, between one snapshot and the next, five leaks of 101 "connections" each.
//   node growing-heap.js DIRECTORY RECORDS
'use strict';
const { EventEmitter } = require('node:events');
const path = require('node:path');
const v8 = require('node:v8');

const [directory, records] = process.argv.slice(2);
const connectionsPerStep = 101;
const snapshots = 4;

class Session {
  constructor(id) {
    this.id = id;
    this.inbox = [`welcome ${id}`];
    this.socket = { remote: `10.0.0.${id % 250}`, bytes: Buffer.alloc(64) };
  }
}

class Registry {
  #kept = [];
  remember(session) {
    this.#kept.push({ session, since: new Date() });
  }
}

const sessions = new Map();
const bus = new EventEmitter().setMaxListeners(0);
const callbacks = [];
const registry = new Registry();

function connect(id) {
  sessions.set(`session-${id}`, new Session(id));
  bus.on('score', function onScore() {
    return id;
  });
  callbacks.push(() => `callback of ${id}`);
  registry.remember(new Session(-id));
  setInterval(function heartbeat() {
    return id;
  }, 1e6).unref();
}

// What a server holds in any case: rows of a table with an index, each of its own strings.
const table = [];
const index = new Map();
for (let i = 0; i < Number(records); ++i) {
  const row = { id: i, name: `row ${i}`, score: i / 7, tags: [`a${i}`, `b${i}`], next: null };
  if (i > 0) table[i - 1].next = row;
  table.push(row);
  index.set(row.name, { row, seen: new Date(i), read: () => row });
}

exports.roots = () => [sessions, bus, callbacks, registry, table, index];

let next = 1;
for (let step = 0; step < snapshots; ++step) {
  v8.writeHeapSnapshot(path.join(directory, `S${step}.heapsnapshot`));
  for (const end = next + connectionsPerStep; next < end; ++next) connect(next);
}
process.exit(0);
