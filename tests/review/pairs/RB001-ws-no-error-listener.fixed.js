// clean
const { WebSocketServer } = require('ws');

const wss = new WebSocketServer({ port: process.env.PORT || 8080 });

wss.on('connection', (ws) => {
  ws.on('error', (err) => console.error('bad frame:', err.message));
  ws.on('message', (data) => ws.send(`echo ${data}`));
  ws.on('close', () => console.log('bye'));
});
