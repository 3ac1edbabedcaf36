// The servers that the broadcast's tests run against: node broadcast_servers.js BEHAVIOUR [HOST].
// POST /say sends its body to every WebSocket client, spoiled as the behaviour says. Prints the
// port it listens on and runs until its stdin ends. "tls:BEHAVIOUR" does the same by TLS.
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');
const { WebSocketServer } = require('ws');

const clients = [];  // in the order they came
let posts = 0;

function broadcast(text) {
  for (const client of clients) client.send(text);
}

// Never early, as a timer may be by a part of a millisecond.
function later(milliseconds, action, begin = process.hrtime.bigint()) {
  setTimeout(() => {
    const passed = Number(process.hrtime.bigint() - begin) / 1e6;
    if (passed < milliseconds) later(milliseconds, action, begin);
    else action();
  }, milliseconds);
}

let held = null;  // what another post must come before
let batch = [];

// By behaviour: what a post does, given its body and its number from 1.
const behaviours = {
  plain: (body, response) => {
    broadcast(body);
    response.end('ok');
  },
  drops_every_7th: (body, response) => {
    clients.forEach((client, index) => { if ((index + 1) % 7 !== 0) client.send(body); });
    response.end('ok');
  },
  doubles_every_10th: (body, response) => {
    broadcast(body);
    if (posts % 10 === 0) broadcast(body);
    response.end('ok');
  },
  swaps_5_and_6: (body, response) => {
    if (posts === 5) {
      held = body;
    } else {
      broadcast(body);
      if (posts === 6) broadcast(held);
    }
    response.end('ok');
  },
  delays_50_ms: (body, response) => later(50, () => {
    broadcast(body);
    response.end('ok');
  }),
  answers_20_ms_before: (body, response) => {
    response.end('ok');
    later(20, () => broadcast(body));
  },
  tells_no_token: (body, response) => {
    broadcast(`score ${posts}:0 ${'é'.repeat(300)}`);
    response.end('ok');
  },
  // Three messages in a frame, each as a JSON string within JSON.
  batches_by_3: (body, response) => {
    batch.push(body);
    if (batch.length === 3) {
      broadcast(JSON.stringify({ batch }));
      batch = [];
    }
    response.end('ok');
  },
  // The first three clients are closed after the second post.
  closes_3_clients: (body, response) => {
    broadcast(body);
    if (posts === 2) clients.splice(0, 3).forEach((client) => client.close());
    response.end('ok');
  },
  fails_every_2nd: (body, response) => {
    if (posts % 2 === 0) {
      response.statusCode = 500;
      response.end('no database');
    } else {
      broadcast(body);
      response.end('ok');
    }
  },
  hangs_at_3: (body, response) => {
    broadcast(body);
    if (posts !== 3) response.end('ok');
  },
  ends_keep_alive: (body, response) => {
    broadcast(body);
    response.setHeader('Connection', 'close');
    response.end('ok');
  },
  drops_connection_at_2: (body, response) => {
    broadcast(body);
    if (posts === 2) response.socket.destroy();
    else response.end('ok');
  },
  dies_at_5: (body, response) => {
    if (posts === 5) process.exit();
    broadcast(body);
    response.end('ok');
  },
  // Tells what it was asked, to the clients and in its answer.
  mirror: (body, response, request) => {
    broadcast(`${request.method} ${request.url} ${request.headers['x-trigger']} ` +
              `${request.headers['content-type']} ${body}`);
    response.end('ok');
  },
};

const [argument, host = '127.0.0.1'] = process.argv.slice(2);
const encrypted = argument.startsWith('tls:');
const behaviour = encrypted ? argument.slice(4) : argument;
const pem = encrypted ? fs.readFileSync(process.env.TEST_CERTIFICATE) : undefined;
const server = (encrypted ? https : http).createServer({ key: pem, cert: pem }, (request, response) => {
  let body = '';
  request.on('data', (data) => { body += data; });
  request.on('end', () => {
    ++posts;
    behaviours[behaviour](body, response, request);
  });
});
server.on('connection', (socket) => socket.setNoDelay(true));
// /speak: what this client says after its greeting goes to those of /ws; /mute: it may not.
new WebSocketServer({ server }).on('connection', (socket, request) => {
  socket.on('error', () => {});
  if (request.url === '/mute') {
    socket.on('message', () => socket.close(1008));
  } else if (request.url === '/speak') {
    socket.once('message', (greeting) => {
      socket.send(`go on, ${greeting}`);
      socket.on('message', (data) => broadcast(String(data)));
    });
  } else {
    clients.push(socket);
    socket.on('close', () => {
      if (clients.includes(socket)) clients.splice(clients.indexOf(socket), 1);
    });
    socket.send('welcome');
  }
});
server.listen(0, host, () => console.log(server.address().port));
process.stdin.on('end', () => process.exit()).resume();
