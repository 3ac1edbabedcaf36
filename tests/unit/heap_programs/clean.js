// The same ways of keeping what a connection brings, each with its end; and caches of bounded size.
'use strict';
const { EventEmitter } = require('events');
const { takeLooks } = require('./looks');

const matchSubscribers = new Map();
const bus = new EventEmitter();
const handlers = [];
const recent = new Map();  // at most 250
const ring = [];  // at most 50
let last = null;
bus.setMaxListeners(0);

class Session {
  constructor(id) {
    this.id = id;
  }
}

function connect(id) {
  const session = new Session(id);
  const topic = id % 7;
  if (!matchSubscribers.has(topic)) matchSubscribers.set(topic, new Set());
  matchSubscribers.get(topic).add(session);
  const onTick = () => session;
  bus.on('tick', onTick);
  handlers.push(onTick);
  const timer = setInterval(() => session, 1000000);
  recent.set(id, new Session(id));
  if (recent.size > 250) recent.delete(recent.keys().next().value);
  ring.push(Buffer.alloc(1000));
  if (ring.length > 50) ring.shift();
  last = session;

  clearInterval(timer);
  handlers.splice(handlers.indexOf(onTick), 1);
  bus.off('tick', onTick);
  matchSubscribers.get(topic).delete(session);
}

takeLooks(connect);
