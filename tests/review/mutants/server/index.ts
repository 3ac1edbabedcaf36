// clean: all
import { createServer } from 'node:http';
import { createApp } from './app.js';
import { Fixtures } from './fixtures.js';
import { attachGateway } from './gateway.js';
import { Hub } from './hub.js';
import { createGuard } from './security.js';

const fixtures = new Fixtures();
const hub = new Hub();
const guard = await createGuard(process.env.ARCJET_KEY);

const server = createServer(createApp(hub, fixtures));
const wss = attachGateway(server, { hub, fixtures, guard });

server.listen(Number(process.env.PORT ?? 8000), () => {
  console.log('listening on', server.address());
});

let stopping = false;

function shutDown(signal: NodeJS.Signals): void {
  if (stopping) return;
  stopping = true;
  console.log('%s: closing %d sockets', signal, wss.clients.size);
  for (const ws of wss.clients) ws.close(1001, 'server restarting');
  wss.close();
  server.close(() => process.exit(0));
  setTimeout(() => process.exit(1), 10_000).unref();
}

process.on('SIGTERM', shutDown);
process.on('SIGINT', shutDown);
