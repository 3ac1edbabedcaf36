// clean: all
import { createServer } from 'node:http';
import { Server, type Socket } from 'socket.io';

const httpServer = createServer();
const io = new Server(httpServer, { maxHttpBufferSize: 1e5 });

class Table {
  private cards = 52;

  seat(socket: Socket): void {
    const draw = this.draw.bind(this, socket);
    socket.on('draw', draw);
    socket.on('shuffle', () => {
      this.cards = 52;
      socket.emit('left', this.cards);
    });
  }

  private draw(socket: Socket): void {
    if (this.cards > 0) this.cards -= 1;
    socket.emit('left', this.cards);
  }
}

io.on('connection', (socket) => new Table().seat(socket));
httpServer.listen(Number(process.env.PORT ?? 3000));
