// clean
const { WebSocketServer } = require('ws');

const wss = new WebSocketServer({ port: process.env.PORT || 8080 });

wss.on('connection', (ws, req) => {
  ws.on('error', () => ws.terminate());

  const token = new URLSearchParams(req.url.split('?')[1]).get('token');
  if (!token) return ws.close(4401, 'token required');

  ws.on('message', (data) => ws.send(`${token.slice(0, 4)}… ${data}`));
  ws.on('close', () => console.log('done'));
});
