// clean
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const httpServer = createServer();
const io = new Server(httpServer);

// Moves an avatar along its path for as long as its player is there.
class Walk {
  constructor(socket, from) {
    this.socket = socket;
    this.x = from;
    this.step = this.step.bind(this);
    this.step();
  }

  step() {
    this.x += 1;
    this.socket.volatile.emit('at', this.x);
    this.next = setTimeout(this.step, 40);
  }

  halt() {
    clearTimeout(this.next);
  }
}

io.on('connection', (socket) => {
  const walk = new Walk(socket, 0);
  socket.on('turn', () => (walk.x *= -1));
  socket.on('disconnect', () => walk.halt());
});

httpServer.listen(process.env.PORT ?? 3000);
