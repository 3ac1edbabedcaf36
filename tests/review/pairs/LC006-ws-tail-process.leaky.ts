import { spawn } from 'node:child_process';
import { WebSocketServer } from 'ws';

const wss = new WebSocketServer({ port: Number(process.env.PORT ?? 8080) });

wss.on('connection', (socket) => {
  const tail = spawn('tail', ['-n', '20', '-F', '/var/log/syslog']); // expect: LC006
  tail.on('error', (error) => socket.close(1011, error.message));
  tail.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (socket.readyState === socket.OPEN) socket.send(text);
  });
  tail.on('exit', () => socket.close(1000));

  socket.on('error', (error) => console.error(error));
  socket.on('close', (code) => {
    console.log('viewer gone', code);
  });
});
