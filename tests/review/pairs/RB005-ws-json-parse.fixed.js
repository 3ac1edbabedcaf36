// clean
const { Server } = require('ws');

const wss = new Server({ port: process.env.PORT || 8080 });

wss.on('connection', (ws) => {
  ws.on('error', (err) => console.error(err.message));
  ws.on('message', (data) => {
    try {
      const { op, a, b } = JSON.parse(data);
      ws.send(JSON.stringify({ op, result: op === 'add' ? a + b : a - b }));
    } catch {
      ws.close(1003, 'not a request');
    }
  });
});
