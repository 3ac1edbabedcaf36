// clean
import { createServer } from 'node:http';
import { Server } from 'socket.io';

// A reducer in the manner of a front end: the state is replaced, never changed.
let state = { users: {}, order: [] };

function reduce(current, action) {
  switch (action.type) {
    case 'joined':
      return {
        users: { ...current.users, [action.id]: { name: action.name, socket: action.socket } },
        order: [...current.order, action.id],
      };
    case 'left': {
      const { [action.id]: _, ...users } = current.users;
      return { users, order: current.order.filter((id) => id !== action.id) };
    }
    default:
      return current;
  }
}

const dispatch = (action) => {
  state = reduce(state, action);
};

const httpServer = createServer((req, res) => res.end(state.order.join('\n')));
const io = new Server(httpServer);

io.on('connection', (socket) => {
  const name = String(socket.handshake.query.name ?? 'someone');
  dispatch({ type: 'joined', id: socket.id, name, socket });
  socket.on('nudge', (id) => {
    if (Object.hasOwn(state.users, id)) state.users[id].socket.emit('nudged', name);
  });
  socket.on('disconnect', () => dispatch({ type: 'left', id: socket.id }));
});

httpServer.listen(process.env.PORT ?? 3000);
