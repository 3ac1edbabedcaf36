// clean
import { createServer, type ServerResponse } from 'node:http';

const subscribers: ServerResponse[] = [];

const server = createServer((request, response) => {
  if (request.method === 'POST') {
    request.resume();
    for (const subscriber of subscribers) subscriber.write('data: refresh\n\n');
    response.writeHead(204).end();
    return;
  }

  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  subscribers.push(response);
  response.on('close', () => {
    const index = subscribers.indexOf(response);
    if (index > -1) subscribers.splice(index, 1);
  });
});

server.listen(Number(process.env.PORT ?? 8080));
