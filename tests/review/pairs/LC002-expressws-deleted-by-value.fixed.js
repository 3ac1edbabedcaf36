// clean
const express = require('express');
const expressWs = require('express-ws');

const { app } = expressWs(express());
const kiosks = {};

function forget(kiosk) {
  delete kiosks[kiosk.code];
}

app.ws('/kiosk', function (ws) {
  const kiosk = { code: Math.random().toString(36).slice(2), ws: ws, orders: 0 };
  kiosks[kiosk.code] = kiosk;
  ws.on('message', function () {
    kiosk.orders += 1;
    ws.send(kiosk.code + ' ' + kiosk.orders);
  });
  ws.on('error', function (e) {
    console.error(kiosk.code, e.message);
  });
  ws.on('close', function () {
    forget(kiosk);
  });
});

app.listen(process.env.PORT || 3000);
