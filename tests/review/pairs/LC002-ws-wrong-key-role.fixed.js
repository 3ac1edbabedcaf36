// clean
const { WebSocketServer } = require('ws');

const wss = new WebSocketServer({ port: process.env.PORT || 8080 });
const byVehicle = new Map();
let sequence = 0;

wss.on('connection', function connected(ws) {
  const vehicleId = `v-${++sequence}`;
  byVehicle.set(vehicleId, { ws, lastFix: null });

  ws.on('error', function (err) {
    console.error(vehicleId, err.message);
  });
  ws.on('message', function (fix) {
    byVehicle.get(vehicleId).lastFix = fix.toString();
  });
  ws.on('close', function () {
    byVehicle.delete(vehicleId);
  });
});
