// clean
import { createServer } from 'node:net';

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', (error: NodeJS.ErrnoException) => console.error(error.code));
  socket.on('data', (data) => {
    socket.write(data.toString('utf8').split('').reverse().join(''));
  });
});

server.on('error', (error) => {
  console.error('cannot listen:', error.message);
  process.exitCode = 1;
});
server.listen(Number(process.env.PORT ?? 7005));
