// clean
import { createServer } from 'node:http';
import { Server } from 'socket.io';

type Listener<T> = (value: T) => void;

function createStore<T>(initial: T) {
  let value = initial;
  const listeners = new Set<Listener<T>>();
  return {
    get: () => value,
    set(next: T) {
      value = next;
      listeners.forEach((listener) => listener(next));
    },
    subscribe(listener: Listener<T>): () => void {
      listeners.add(listener);
      listener(value);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

const temperature = createStore(20);
const httpServer = createServer((req, res) => {
  if (req.method === 'POST') temperature.set(temperature.get() + 1);
  res.end(String(temperature.get()));
});
const io = new Server(httpServer);

io.on('connection', (socket) => {
  const unsubscribe = temperature.subscribe((value) => socket.emit('temperature', value));
  socket.on('disconnect', unsubscribe);
});

httpServer.listen(Number(process.env.PORT ?? 3000));
