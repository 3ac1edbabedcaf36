// Planted: a worker thread keeps a Job per connection.
'use strict';
const { Worker, isMainThread, parentPort } = require('node:worker_threads');

if (isMainThread) {
  const worker = new Worker(__filename);
  require('../listen').serve(() => worker.postMessage('opened'));
} else {
  class Job {
    constructor() {
      this.steps = new Array(400).fill(null);
    }
  }
  const jobs = [];
  parentPort.on('message', () => jobs.push(new Job()));
}
