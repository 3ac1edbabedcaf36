// clean
const http = require('http');
const crypto = require('crypto');
const { WebSocketServer } = require('ws');

const wss = new WebSocketServer({ noServer: true });
const server = http.createServer();
const devices = new Map();

// Stands in for a lookup in the device registry.
const identify = (token) =>
  new Promise((resolve, reject) =>
    setImmediate(() =>
      token ? resolve({ serial: crypto.randomUUID(), token }) : reject(new Error('no token')),
    ),
  );

server.on('upgrade', (req, socket, head) => {
  const ignore = () => socket.destroy();
  socket.on('error', ignore);
  identify(req.headers['x-device-token'])
    .then((device) => {
      socket.off('error', ignore);
      wss.handleUpgrade(req, socket, head, (ws) => wss.emit('connection', ws, device));
    })
    .catch(() => socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n'));
});

wss.on('connection', (ws, device) => {
  devices.set(device.serial, ws);
  ws.on('error', console.error);
  ws.on('message', (reading) => console.log(device.serial, reading.toString()));
  ws.on('close', (code) => {
    devices.delete(device.serial);
    console.log(device.serial, 'closed with', code);
  });
});

server.listen(process.env.PORT || 8080);
