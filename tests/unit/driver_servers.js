// The servers that the driver's tests run against: node driver_servers.js BEHAVIOUR [HOST].
// Prints the port it listens on, then obeys its behaviour until its stdin ends.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const https = require('https');
const net = require('net');

function ws_server(on_connection, options = {}, server = http.createServer()) {
  const { WebSocketServer } = require('ws');
  const wss = new WebSocketServer({ server, path: '/ws', ...options });
  wss.on('connection', (socket, request) => {
    socket.on('error', () => {});
    on_connection(socket, request);
  });
  return server;
}

// A server that answers the upgrade by hand, `bytes` with it in one piece, and what comes later by
// `on_data`, or is not read when that is null. `header` is a further line of the answer.
function raw_upgrade(bytes, on_data = () => {}, header = '') {
  return http.createServer().on('upgrade', (request, socket) => {
    const accept = crypto
      .createHash('sha1')
      .update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11')
      .digest('base64');
    socket.on('error', () => {});
    socket.write(Buffer.concat([
      Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n' +
                  `Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${header}\r\n`),
      bytes,
    ]));
    if (on_data) socket.on('data', () => on_data(socket));
    else socket.pause();
  });
}

// With the key and certificate of the test (driver_certificate.h).
function tls_server(on_request) {
  const pem = fs.readFileSync(process.env.TEST_CERTIFICATE);
  return https.createServer({ key: pem, cert: pem }, on_request);
}

function text_frame(text) {
  return Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);
}

const behaviours = {
  // connection_init -> connection_ack -> subscribe -> noise and the answer with the same id
  subscribe: () => ws_server((socket) => {
    let ready = false;
    socket.on('message', (data) => {
      const message = JSON.parse(data);
      if (message.type === 'connection_init') {
        ready = true;
        socket.send('{"type":"connection_ack"}');
      } else if (message.type === 'subscribe' && ready) {
        socket.send('{"type":"noise"}');
        socket.send(`{"type":"subscribed","id":${message.id}}`);
      }
    });
  }),
  silent_after_upgrade: () => ws_server(() => {}),
  unauthorized: () => http.createServer().on('upgrade', (request, socket) => {
    socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 6\r\n\r\nnobody');
  }),
  never_answers_upgrade: () => http.createServer().on('upgrade', () => {}),
  closes_early: () => ws_server((socket) => {
    socket.on('message', () => {
      socket.send('subscribed');
      socket.close(4001, 'go away');
    });
  }),
  // Three messages, a ping; the pong is answered by closing: a client that sent none stays up.
  pings: () => ws_server((socket) => {
    socket.send('go');
    for (const text of ['one', 'two', 'x'.repeat(5000)]) socket.send(text);
    socket.ping('are you there?');
    socket.on('pong', (data) => socket.close(String(data) === 'are you there?' ? 4002 : 4003));
  }),
  stories: () => ws_server((socket) => {
    for (const text of ['begin', 'one', 'x'.repeat(300000), 'three']) socket.send(text);
  }),
  // Some 10 ms after a message, what CLOCK_MONOTONIC shows.
  clock: () => ws_server((socket) => socket.on('message', () => {
    socket.send('begin');
    setTimeout(() => socket.send(String(process.hrtime.bigint())), 10);
  })),
  // A GET is answered with all that was seen of the first connection, once that is gone.
  witness: () => {
    const seen = [];
    let answer;
    const gone = new Promise((resolve) => { answer = resolve; });
    const server = ws_server((socket) => {
      socket.on('message', () => { seen.push('message'); socket.send('ready'); });
      socket.on('close', (code) => seen.push(`close ${code}`));
    });
    server.once('connection', (socket) => {
      socket.on('error', (error) => seen.push(error.code));
      socket.on('end', () => seen.push('FIN'));
      socket.on('close', () => answer());
    });
    server.on('clientError', (error, socket) => { seen.push(error.code); socket.destroy(); });
    // After the first connection's events, all of which come before the next turn.
    server.on('request', (request, response) => gone.then(() =>
      setImmediate(() => response.end(`seen: ${seen.join(', ')}.`))));
    return server;
  },
  // Leaves an upgrade to a path that it does not know as it is.
  forgets_upgrades: () => http.createServer().on('upgrade', (request, socket) => {
    socket.on('error', () => {}).on('end', () => {});
  }),
  // Sends 4 MB to each client, and lets go of those that do not answer a ping in 50 ms.
  heartbeat: () => ws_server((socket) => {
    socket.send('ready');
    let alive = false;
    socket.on('pong', () => { alive = true; });
    const timer = setInterval(() => {
      if (!alive) socket.terminate();
      alive = false;
      socket.ping();
    }, 50);
    socket.on('close', () => clearInterval(timer));
    socket.ping();
  }),
  // wss and https; both say which name the client asked for.
  secure: () => {
    const name_of = (socket) => `name ${socket.servername || 'none'}`;
    return ws_server((socket, request) => {
      socket.send(name_of(request.socket));
      socket.on('message', (data) => socket.send(data));
    }, {}, tls_server((request, response) => response.end(name_of(request.socket))));
  },
  tls_that_never_answers: () => net.createServer((socket) => socket.on('error', () => {})),
  // Every second upgrade is refused, with the status of an overloaded server.
  refuses_half: () => {
    let asked = 0;
    return ws_server(() => {}, { verifyClient: (info, done) => done(++asked % 2 === 1, 503) });
  },
  // Closes every second client as a rate limiter does.
  closes_half: () => {
    let come = 0;
    return ws_server((socket) => {
      if (++come % 2 === 0) socket.close(1013, 'try again later');
      else socket.send('welcome');
    });
  },
  // 100 MB, announced truly and sent.
  large_message: () => ws_server((socket) => socket.send(Buffer.alloc(100 << 20, 'x'))),
  // The same, in fragments of which none says how long the message gets.
  endless_fragments: () => ws_server((socket) => {
    const piece = Buffer.alloc(1 << 20, 'x');
    const next = () => {
      if (socket.readyState === socket.OPEN) socket.send(piece, { fin: false }, next);
    };
    next();
  }),
  // 100 MB that come as 100 KB.
  deflated_message: () => ws_server((socket, request) => {
    socket.send(`offer ${request.headers['sec-websocket-extensions'] || 'none'}`);
    socket.on('message', (data) => socket.send(data));
    if (request.url === '/ws?bomb') socket.send(Buffer.alloc(100 << 20, 'x'));
  }, { perMessageDeflate: { threshold: 0 } }),
  says_nothing: () => net.createServer((socket) => socket.on('error', () => {})),
  speaks_garbage: () => net.createServer((socket) => {
    socket.on('error', () => {});
    socket.end(Buffer.alloc(5000, 0xfe));
  }),
  // Says which header, subprotocol and address it saw.
  mirror: () => ws_server((socket, request) => {
    socket.send(`${request.headers['x-token']} ${socket.protocol} ${request.headers.host} ` +
                `${request.url} ${request.socket.remoteAddress}`);
  }),
  compresses_unasked: () => raw_upgrade(text_frame('hello'), () => {},
    'Sec-WebSocket-Extensions: permessage-deflate\r\n'),
  // Text that is not UTF-8.
  latin1_text: () => raw_upgrade(
    Buffer.concat([text_frame('hello'), Buffer.from([0x81, 5]), Buffer.from('sp\xe4t!', 'latin1')]),
    (socket) => socket.end()),
  // Closes with a code that nobody may send.
  closes_with_1006: () => raw_upgrade(
    Buffer.concat([text_frame('hello'), Buffer.from([0x88, 2, 0x03, 0xee])]),
    (socket) => socket.end()),
  // 32 MB of pings, whose pongs it does not read.
  pings_and_reads_nothing: () => raw_upgrade(Buffer.alloc(32 << 20,
    Buffer.concat([Buffer.from([0x89, 125]), Buffer.alloc(125, 'x')])), null),
  // An answer of two bytes, and 100,000 more that nobody asked for.
  talks_on: () => net.createServer((socket) => {
    socket.on('error', () => {}).once('data', () => socket.write(
      `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${'x'.repeat(100000)}`));
    socket.on('end', () => socket.end());
  }),
  ignores_close: () => raw_upgrade(text_frame('hello')),
  answers_close_but_stays: () => raw_upgrade(text_frame('hello'),
    (socket) => socket.write(Buffer.from([0x88, 0]))),
  garbage_and_stays: () => raw_upgrade(
    Buffer.concat([text_frame('hello'), Buffer.alloc(64, 0xff)])),
  greeting_with_upgrade: () => raw_upgrade(
    Buffer.concat([text_frame('hello'), text_frame('again')])),
  garbage: () => raw_upgrade(Buffer.concat([text_frame('hello'), Buffer.alloc(64, 0xff)]),
    (socket) => socket.end()),
  // The header of a text message of 2^40 bytes.
  huge_message: () => raw_upgrade(Buffer.concat([text_frame('hello'),
    Buffer.from([0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0]), Buffer.alloc(4096, 'x')]),
    (socket) => socket.end()),
  half_open: () => net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.write('ready\n'));
  }),
  web: () => http.createServer((request, response) => {
    let body = '';
    request.on('data', (data) => { body += data; });
    request.on('end', () => {
      if (request.url === '/missing') response.statusCode = 404;
      response.end(`${request.method} ${request.url} ${request.headers['content-type']} ` +
                   `${request.headers['x-token']} ${body}`);
    });
  }),
};

const [behaviour, host = '127.0.0.1'] = process.argv.slice(2);
const server = behaviours[behaviour]();
server.listen(0, host, () => console.log(server.address().port));
process.stdin.on('end', () => process.exit()).resume();
