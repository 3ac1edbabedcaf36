const net = require('net');

const connections = new Set();

net.createServer(function (socket) {
  connections.add(socket); // expect: LC017
  socket.on('data', function (buffer) { socket.write(buffer); });
  socket.on('error', function (err) { console.error(err.message); });
  socket.on('end', function () {
    connections.delete(socket);
  });
}).listen(process.env.PORT || 7004);

process.on('SIGUSR2', () => console.log('%d connections', connections.size));
