const WebSocket = require('ws');
const os = require('os');

const wss = new WebSocket.Server({ port: process.env.PORT || 8080, maxPayload: 1024 });

wss.on('connection', (ws) => {
  const timer = setInterval(() => { // expect: LC005
    ws.send(JSON.stringify({ load: os.loadavg(), free: os.freemem() }));
  }, 1000);

  ws.on('error', () => ws.terminate());
  ws.on('close', () => {
    console.log('monitor closed');
  });
});
