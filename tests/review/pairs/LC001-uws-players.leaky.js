const uWS = require('uWebSockets.js');

const players = new Map();
let serial = 0;

uWS.App()
  .ws('/game', {
    maxPayloadLength: 1024,
    idleTimeout: 60,
    upgrade: (res, req, context) => {
      res.upgrade(
        { playerId: ++serial, score: 0 },
        req.getHeader('sec-websocket-key'),
        req.getHeader('sec-websocket-protocol'),
        req.getHeader('sec-websocket-extensions'),
        context,
      );
    },
    open: (ws) => {
      const me = ws.getUserData();
      players.set(me.playerId, ws); // expect: LC001
      ws.subscribe('scores');
    },
    message: (ws, message) => {
      const me = ws.getUserData();
      me.score += message.byteLength;
      ws.publish('scores', `${me.playerId}:${me.score}`);
    },
  })
  .get('/players', (res) => res.end(String(players.size)))
  .listen(9001, (token) => {
    if (!token) process.exit(1);
  });
