// clean
const WebSocket = require('ws');

const wss = new WebSocket.Server({ port: process.env.PORT || 8080 });
const pilots = new Map();
let flight = 100;

wss.on('connection', (ws) => {
  const callsign = 'EB' + ++flight;
  pilots.set(callsign, { ws, heard: Date.now() });
  ws.send('you are ' + callsign);

  ws.on('message', () => {
    const pilot = pilots.get(callsign);
    if (pilot) pilot.heard = Date.now();
  });
  ws.on('close', () => pilots.delete(callsign));
  ws.on('error', () => ws.terminate());
});

// A phone that lost its network closes nothing.
const sweep = setInterval(() => {
  const limit = Date.now() - 45_000;
  for (const [callsign, { ws, heard }] of pilots) {
    if (heard >= limit) continue;
    pilots.delete(callsign);
    ws.terminate();
  }
}, 15_000);

wss.on('close', () => clearInterval(sweep));
