// clean
import { on } from 'node:events';
import { WebSocketServer, type WebSocket } from 'ws';

const seats = new Set<Seat>();

class Seat {
  constructor(readonly socket: WebSocket) {
    seats.add(this);
  }

  [Symbol.dispose](): void {
    seats.delete(this);
  }
}

// The seat is given up when this function is left, however it is left.
async function serve(socket: WebSocket, signal: AbortSignal): Promise<void> {
  using seat = new Seat(socket);
  for await (const [data] of on(socket, 'message', { signal })) {
    for (const other of seats) if (other !== seat) other.socket.send(String(data));
  }
}

const wss = new WebSocketServer({ port: Number(process.env.PORT ?? 8080) });

wss.on('connection', (socket) => {
  const closed = new AbortController();
  socket.once('close', () => closed.abort());
  socket.on('error', (error) => console.error(error.message));
  serve(socket, closed.signal).catch((error: Error) => {
    if (error.name !== 'AbortError') socket.terminate();
  });
});
