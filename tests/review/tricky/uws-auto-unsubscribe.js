// clean
const uWS = require('uWebSockets.js');

const decoder = new TextDecoder();

// µWS drops the subscriptions of a socket before it calls close.
const app = uWS
  .App()
  .ws('/matches/:id', {
    compression: uWS.DISABLED,
    maxPayloadLength: 512,
    idleTimeout: 40,
    upgrade(res, req, context) {
      res.upgrade(
        { match: req.getParameter(0), since: Date.now() },
        req.getHeader('sec-websocket-key'),
        req.getHeader('sec-websocket-protocol'),
        req.getHeader('sec-websocket-extensions'),
        context,
      );
    },
    open(ws) {
      ws.subscribe(`match/${ws.getUserData().match}`);
      ws.subscribe('news');
    },
    message(ws, bytes) {
      const text = decoder.decode(bytes);
      if (text.startsWith('follow ')) ws.subscribe(`match/${text.slice(7)}`);
    },
    close(ws) {
      console.log('stayed %d ms', Date.now() - ws.getUserData().since);
    },
  })
  .post('/matches/:id', (res, req) => {
    app.publish(`match/${req.getParameter(0)}`, 'update');
    res.writeStatus('204 No Content').end();
  })
  .listen(9001, (socket) => {
    if (!socket) process.exitCode = 1;
  });
