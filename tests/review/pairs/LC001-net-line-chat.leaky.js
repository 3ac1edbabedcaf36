const net = require('net');
const readline = require('readline');

const peers = new Set();

const server = net.createServer((socket) => {
  socket.setEncoding('utf8');
  socket.on('error', (err) => {
    if (err.code !== 'ECONNRESET') console.error(err);
  });

  const lines = readline.createInterface({ input: socket });
  lines.on('error', () => lines.close()); // readline passes the socket's errors on
  lines.once('line', (nick) => {
    const peer = { nick, write: (text) => socket.write(text + '\n') };
    if (socket.destroyed) return;
    peers.add(peer); // expect: LC001
    lines.on('line', (line) => {
      for (const other of peers) if (other !== peer) other.write(`<${nick}> ${line}`);
    });
  });
});

server.listen(process.env.PORT || 6667);
