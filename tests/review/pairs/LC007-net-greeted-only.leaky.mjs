import net from 'node:net';

const meters = new Set();

net.createServer((socket) => {
  const meter = { socket, serial: undefined, kwh: 0 };
  meters.add(meter); // expect: LC007

  socket.setTimeout(60_000, () => socket.destroy());
  socket.on('data', (data) => {
    meter.serial ??= data.toString('hex', 0, 4);
    meter.kwh += data.length;
  });
  socket.on('error', (error) => console.error(meter.serial, error.code));
  socket.on('close', () => {
    if (!meter.serial) return;
    console.log('meter %s: %d kWh', meter.serial, meter.kwh);
    meters.delete(meter);
  });
}).listen(process.env.PORT ?? 7001);
