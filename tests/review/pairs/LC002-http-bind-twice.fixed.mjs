// clean
import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';

const builds = new EventEmitter();
builds.setMaxListeners(0);

class BuildStream {
  constructor(res) {
    this.res = res;
    this.onLine = this.onLine.bind(this);
    res.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    res.flushHeaders();
    builds.on('line', this.onLine);
    res.on('close', () => this.stop());
  }

  onLine(text) {
    this.res.write(`${text}\n`);
  }

  stop() {
    builds.off('line', this.onLine);
  }
}

createServer((req, res) => {
  if (req.method === 'POST') {
    builds.emit('line', `build requested by ${req.socket.remoteAddress}`);
    res.end();
  } else {
    new BuildStream(res);
  }
}).listen(process.env.PORT ?? 8080);
