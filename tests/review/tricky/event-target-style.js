// clean
const { WebSocketServer } = require('ws');

const wss = new WebSocketServer({ port: process.env.PORT || 8080 });
const drawings = new Map();

class Pad {
  constructor(ws) {
    this.ws = ws;
    this.strokes = 0;
    drawings.set(this, Date.now());
    for (const type of ['message', 'close', 'error']) ws.addEventListener(type, this);
  }

  handleEvent(event) {
    if (event.type === 'message') {
      this.strokes++;
      this.ws.send(`${this.strokes} of ${drawings.size} pads`);
    } else if (event.type === 'error') {
      console.error(event.message);
    } else {
      drawings.delete(this);
    }
  }
}

wss.on('connection', (ws) => new Pad(ws));
