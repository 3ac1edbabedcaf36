// clean
import net from 'node:net';
import { pipeline } from 'node:stream/promises';

const target = { host: '127.0.0.1', port: Number(process.env.TARGET ?? 5432) };

async function relay(client) {
  const upstream = net.connect(target);
  try {
    await Promise.all([pipeline(client, upstream), pipeline(upstream, client)]);
  } finally {
    upstream.destroy();
    client.destroy();
  }
}

const server = net.createServer((client) => {
  client.on('error', () => {});
  relay(client).catch((error) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') console.error(error.code ?? error.message);
  });
});

server.listen(process.env.PORT ?? 15432);
