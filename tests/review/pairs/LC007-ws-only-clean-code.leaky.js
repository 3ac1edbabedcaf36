const { WebSocketServer } = require('ws');

const editors = new Map();
let ids = 0;
const wss = new WebSocketServer({ port: process.env.PORT || 8080 });

wss.on('connection', (ws) => {
  const id = ++ids;
  editors.set(id, { ws, cursor: 0 }); // expect: LC007

  ws.on('message', (data) => {
    editors.get(id).cursor = Number(data) || 0;
  });
  ws.on('error', (e) => console.error(e.message));
  ws.on('close', (code) => {
    // 1000 is what our own page sends when the tab is closed.
    if (code !== 1000) return;
    editors.delete(id);
  });
});
