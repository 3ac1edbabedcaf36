// clean
import { EventEmitter } from 'node:events';
import { WebSocketServer } from 'ws';

const weather = new EventEmitter({ captureRejections: true });
weather.setMaxListeners(Infinity);
weather.on('error', console.error);
const stations = new Set();

const untilClosed = (ws) => new Promise((resolve) => ws.once('close', resolve));

async function attend(ws) {
  const report = (text) => ws.send(text);
  stations.add(ws);
  weather.on('report', report);
  const code = await untilClosed(ws);
  weather.off('report', report);
  stations.delete(ws);
  console.log('station closed with %d, %d left', code, stations.size);
}

new WebSocketServer({ port: process.env.PORT ?? 8080 }).on('connection', (ws) => {
  ws.on('error', (error) => console.error(error.message));
  ws.on('message', (text) => weather.emit('report', text.toString()));
  attend(ws).catch(console.error);
});
