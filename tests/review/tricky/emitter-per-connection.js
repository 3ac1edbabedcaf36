// clean
const { EventEmitter } = require('node:events');
const net = require('node:net');

/** Splits a byte stream into frames of two length bytes and a body. */
class FrameReader extends EventEmitter {
  constructor(source) {
    super();
    this.buffer = Buffer.alloc(0);
    source.on('data', (chunk) => this.push(chunk));
    source.on('close', () => this.emit('finish'));
  }

  push(chunk) {
    this.buffer = Buffer.concat([this.buffer, chunk]);
    while (this.buffer.length >= 2) {
      const end = 2 + this.buffer.readUInt16BE(0);
      if (this.buffer.length < end) break;
      this.emit('frame', this.buffer.subarray(2, end));
      this.buffer = this.buffer.subarray(end);
    }
  }
}

net
  .createServer((socket) => {
    // Reader and socket refer to each other and to nothing else: they go together.
    const reader = new FrameReader(socket);
    let frames = 0;
    reader.on('frame', (body) => {
      frames++;
      socket.write(Buffer.from([body.length >> 8, body.length & 255]));
    });
    reader.on('finish', () => console.log('%d frames', frames));
    socket.on('error', (err) => reader.emit('failed', err));
  })
  .listen(process.env.PORT || 7010);
