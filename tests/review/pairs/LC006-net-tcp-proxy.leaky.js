const net = require('net');

const [targetPort = 5432, listenPort = 15432] = process.argv.slice(2).map(Number);

net
  .createServer((client) => {
    const upstream = net.connect(targetPort, '127.0.0.1'); // expect: LC006

    client.on('data', (chunk) => {
      if (!upstream.write(chunk)) client.pause();
    });
    upstream.on('drain', () => client.resume());
    upstream.on('data', (chunk) => client.write(chunk));

    upstream.on('error', () => client.destroy());
    upstream.on('close', () => client.destroy());
    client.on('error', (err) => console.error('client', err.code));
  })
  .listen(listenPort);
