const { WebSocketServer } = require('ws');

const wss = new WebSocketServer({ port: process.env.PORT || 8080 });
const subscribers = new Map(); // channel -> Set<ws>

function subscribe(ws, channel) {
  if (!subscribers.has(channel)) subscribers.set(channel, new Set());
  subscribers.get(channel).add(ws); // expect: LC012
  ws.channels.add(channel);
}

function remove(ws, channel) {
  const set = subscribers.get(channel);
  if (!set) return;
  set.delete(ws);
  if (set.size === 0) subscribers.delete(channel);
}

function unsubscribe(ws, channel) {
  ws.channels.delete(channel);
}

wss.on('connection', (ws) => {
  ws.channels = new Set();
  ws.on('error', () => {});
  ws.on('message', (data) => {
    const [verb, channel] = data.toString().split(' ', 2);
    if (verb === 'SUB') subscribe(ws, channel);
    else if (verb === 'UNSUB') unsubscribe(ws, channel);
  });
  ws.on('close', () => {
    for (const channel of ws.channels) remove(ws, channel);
  });
});
