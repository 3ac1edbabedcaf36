const { EventEmitter } = require('node:events');
const uWS = require('uWebSockets.js');

const engine = new EventEmitter().setMaxListeners(Infinity);
let tick = 0;
setInterval(() => engine.emit('tick', ++tick), 1000);

const app = uWS.App();

app.ws('/*', {
  idleTimeout: 120,
  open(ws) {
    const user = ws.getUserData();
    user.onTick = (n) => {
      if (!user.closed) ws.send(String(n));
    };
    engine.on('tick', user.onTick); // expect: LC004
  },
  close(ws) {
    const user = ws.getUserData();
    user.closed = true;
  },
});

app.listen(Number(process.env.PORT) || 9001, () => {});
