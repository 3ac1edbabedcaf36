// clean
import net from 'node:net';
import { createInterface } from 'node:readline';

const channels = new Map();

async function* commands(socket) {
  const lines = createInterface({ input: socket });
  try {
    for await (const line of lines) {
      const [verb, ...rest] = line.split(' ');
      yield { verb: verb.toUpperCase(), text: rest.join(' ') };
    }
  } finally {
    lines.close();
  }
}

async function converse(socket) {
  let channel;
  const part = () => {
    channel?.delete(socket);
    if (channel?.size === 0) channels.delete(channel.topic);
    channel = undefined;
  };
  try {
    for await (const { verb, text } of commands(socket)) {
      if (verb === 'QUIT') return;
      if (verb === 'SAY') for (const peer of channel ?? []) peer.write(`${text}\n`);
      if (verb === 'JOIN') {
        part();
        channel = channels.get(text) ?? Object.assign(new Set(), { topic: text });
        channels.set(text, channel.add(socket));
      }
    }
  } finally {
    part();
    socket.destroy();
  }
}

net.createServer((socket) => {
  socket.on('error', () => socket.destroy());
  converse(socket).catch((error) => console.error(error.code ?? error));
}).listen(process.env.PORT ?? 6667);
