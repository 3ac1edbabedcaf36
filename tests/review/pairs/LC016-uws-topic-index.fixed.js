// clean
const uWS = require('uWebSockets.js');

/** topic -> array of sockets, for the counts page; delivery is left to publish(). */
const topicIndex = Object.create(null);

uWS.App()
  .ws('/topics/:topic', {
    upgrade(res, req, context) {
      res.upgrade(
        { topic: req.getParameter(0) },
        req.getHeader('sec-websocket-key'),
        req.getHeader('sec-websocket-protocol'),
        req.getHeader('sec-websocket-extensions'),
        context,
      );
    },
    open(ws) {
      const { topic } = ws.getUserData();
      ws.subscribe(topic);
      topicIndex[topic] = topicIndex[topic] || [];
      topicIndex[topic].push(ws);
    },
    message(ws, message) {
      ws.publish(ws.getUserData().topic, message);
    },
    close(ws) {
      const { topic } = ws.getUserData();
      const others = topicIndex[topic].filter((other) => other !== ws);
      if (others.length === 0) delete topicIndex[topic];
      else topicIndex[topic] = others;
    },
  })
  .get('/counts', (res) => {
    res.end(JSON.stringify(Object.entries(topicIndex).map(([t, list]) => [t, list.length])));
  })
  .listen(9001, () => {});
