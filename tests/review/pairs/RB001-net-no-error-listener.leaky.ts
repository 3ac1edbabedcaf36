import { createServer } from 'node:net';

const server = createServer((socket) => { // expect: RB001
  socket.setNoDelay(true);
  socket.on('data', (data) => {
    socket.write(data.toString('utf8').split('').reverse().join(''));
  });
});

server.on('error', (error) => {
  console.error('cannot listen:', error.message);
  process.exitCode = 1;
});
server.listen(Number(process.env.PORT ?? 7005));
