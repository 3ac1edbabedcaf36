const { createServer } = require('http');
const { Server } = require('socket.io');

const httpServer = createServer();
const io = new Server(httpServer);
const alerts = new Map(); // socket.id -> { socket, above }

const priceOf = (symbol) =>
  fetch(`http://127.0.0.1:9500/price/${encodeURIComponent(symbol)}`).then((r) => r.json());

io.on('connection', (socket) => {
  socket.on('alert', async (symbol, above) => {
    try {
      const now = await priceOf(symbol);
      if (now.price >= above) return socket.emit('already', now.price);
      alerts.set(socket.id, { socket, symbol, above }); // expect: LC008
    } catch (err) {
      socket.emit('problem', err.message);
    }
  });

  socket.on('disconnect', () => alerts.delete(socket.id));
});

httpServer.listen(process.env.PORT || 3000);
