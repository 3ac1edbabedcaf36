import Fastify from 'fastify';
import websocket from '@fastify/websocket';
import type { WebSocket } from 'ws';

class Lobby {
  private players = new Map<string, Map<string, WebSocket>>();

  join(game: string, seat: string, socket: WebSocket) {
    let seats = this.players.get(game);
    if (!seats) {
      seats = new Map();
      this.players.set(game, seats); // expect: LC016
    }
    seats.set(seat, socket);
  }

  leave(game: string, seat: string) {
    const seats = this.players.get(game);
    seats?.delete(seat);
  }
}

const lobby = new Lobby();
const server = Fastify();
await server.register(websocket);

server.register(async (scope) => {
  scope.get('/games/:game', { websocket: true }, (socket, request) => {
    const { game } = request.params as { game: string };
    const seat = request.id + ':' + process.hrtime.bigint();
    lobby.join(game, seat, socket);
    socket.on('message', (data) => socket.send(`${seat} ${data}`));
    socket.on('close', () => lobby.leave(game, seat));
  });
});

await server.listen({ port: Number(process.env.PORT ?? 3000) });
