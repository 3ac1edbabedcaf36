// clean
const net = require('net');

const devices = new Map();

function command(imei, text) {
  const device = devices.get(imei);
  return device ? device.socket.write(text + '\r\n') : false;
}

const server = net.createServer((socket) => {
  let device = null;
  socket.on('data', (frame) => {
    if (device === null) {
      device = { imei: frame.toString('ascii', 0, 15), socket, since: new Date() };
      devices.set(device.imei, device);
    }
    command(device.imei, 'ON');
  });
  socket.on('error', (err) => console.log(err.code));
  socket.on('close', () => {
    // Trackers come back from a dead zone with a new socket long before the old one times out.
    if (device !== null && devices.get(device.imei) === device) devices.delete(device.imei);
  });
});

server.listen(process.env.PORT || 5023);
