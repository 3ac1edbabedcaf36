// clean
const { EventEmitter } = require('events');
const http = require('http');
const { WebSocketServer, WebSocket } = require('ws');

const bus = new EventEmitter();
const server = http.createServer((req, res) => {
  if (req.method === 'POST' && req.url === '/goal') bus.emit('goal', { at: Date.now() });
  res.statusCode = 204;
  res.end();
});
const wss = new WebSocketServer({ server });

wss.on('connection', (ws) => {
  const onGoal = (goal) => {
    if (ws.readyState === WebSocket.OPEN) ws.send(JSON.stringify(goal));
  };
  bus.on('goal', onGoal);
  ws.on('error', console.error);
  ws.on('close', () => bus.removeListener('goal', onGoal));
});

server.listen(process.env.PORT || 8080);
