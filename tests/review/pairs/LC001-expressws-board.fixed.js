// clean
'use strict';

const express = require('express');
const app = express();
require('express-ws')(app);

/** @type {Record<string, any[]>} board name -> peers drawing on it */
const boards = Object.create(null);

app.get('/healthz', (req, res) => res.sendStatus(204));

app.ws('/boards/:name', (ws, req) => {
  const { name } = req.params;
  (boards[name] ||= []).push(ws);

  ws.on('message', (stroke) => {
    for (const peer of boards[name]) {
      if (peer !== ws && peer.readyState === peer.OPEN) peer.send(stroke.toString());
    }
  });
  ws.on('error', () => ws.terminate());
  ws.on('close', () => {
    const rest = boards[name].filter((peer) => peer !== ws);
    if (rest.length > 0) boards[name] = rest;
    else delete boards[name];
  });
});

app.listen(process.env.PORT || 3000);
