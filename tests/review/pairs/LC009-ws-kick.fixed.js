// clean
const { WebSocketServer } = require('ws');

const wss = new WebSocketServer({ port: process.env.PORT || 8080 });

function kick(ws, why) {
  ws.removeAllListeners('message');
  ws.send('bye: ' + why);
  ws.close(4000, why);
}

wss.on('connection', (ws) => {
  let strikes = 0;
  ws.on('error', (err) => console.error(err.message));
  ws.on('message', (data) => {
    if (data.length < 512) return;
    strikes += 1;
    if (strikes === 3) kick(ws, 'too loud');
  });
});
