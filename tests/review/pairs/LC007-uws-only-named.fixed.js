// clean
const uWS = require('uWebSockets.js');

const tables = new Map();
let nextSeat = 0;

uWS
  .App()
  .ws('/table', {
    idleTimeout: 32,
    open: (ws) => {
      const seat = ws.getUserData();
      seat.number = ++nextSeat;
      tables.set(seat.number, ws);
    },
    message: (ws, data) => {
      ws.getUserData().name = Buffer.from(data).toString().slice(0, 20);
    },
    close: (ws) => {
      const seat = ws.getUserData();
      tables.delete(seat.number);
      if (seat.name) console.log(`${seat.name} stood up`);
    },
  })
  .listen(9001, () => {});
