// Every connection leaves something behind in each of these ways. `// kept: NAME` marks the line
// that a report should name.
'use strict';
const { EventEmitter } = require('events');
const net = require('net');
const { takeLooks } = require('./looks');

const matchSubscribers = new Map();  // kept: matchSubscribers
const bus = new EventEmitter();  // kept: bus
const handlers = [];  // kept: handlers
const waiting = [];  // kept: waiting
const uploads = [];  // kept: uploads
const byToken = {};  // kept: byToken
const names = new Set();  // kept: names
let newest = null;  // kept: newest
globalThis.sessions = [];  // kept: sessions
bus.setMaxListeners(0);

class Session {
  constructor(id) {
    this.id = id;
    this.history = [id, id + 1];
  }
}

class Hub {
  #users = new Map();  // kept: #users
  add(session) {
    this.#users.set(session.id, session);
  }
}

class Link {
  constructor(next) {
    this.next = next;
  }
}

class Archive {
  static entries = new Set();  // kept: entries
}

const hub = new Hub();
exports.rooms = new Map();  // kept: rooms

// Keys that are words, as people's names are: nothing about one says that it is data.
function word(n) {
  let text = '';
  for (let i = 0; i < 5; ++i, n = Math.floor(n / 26)) text += String.fromCharCode(97 + (n % 26));
  return text;
}

function makeRegistry() {
  const members = new Map();  // kept: members
  return { join: (session) => members.set(session, true) };
}
const registry = makeRegistry();
const people = {};  // kept: people

function connect(id) {
  const topic = id % 7;
  if (!matchSubscribers.has(topic)) matchSubscribers.set(topic, new Set());
  matchSubscribers.get(topic).add(new net.Socket());
  hub.add(new Session(id));
  const request = { id };
  bus.on('tick', function onTick() {  // kept: onTick
    return request;
  });
  setInterval(function poll() {  // kept: poll
    return request.id;
  }, 1000000);
  handlers.push(() => id);
  waiting.push(new Promise(() => {}));
  uploads.push(Buffer.alloc(20000));
  byToken[`token-${id * 7919}`] = new Session(id);
  names.add(`somebody ${id}`);
  newest = new Link(newest);
  globalThis.sessions.push(new Session(id));
  exports.rooms.set(id, new Session(id));
  Archive.entries.add(new Session(id));
  registry.join(new Session(id));
  people[word(id * 7919)] = new Session(id);
}

takeLooks(connect);
