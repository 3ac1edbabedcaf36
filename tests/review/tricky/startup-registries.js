// clean
const { EventEmitter } = require('events');
const { Server } = require('ws');

// All of these are filled while the program starts, and by no connection.
const commands = new Map();
const plugins = [];
const bus = new EventEmitter();

function command(name, run) {
  commands.set(name, run);
}

function plugin(install) {
  plugins.push(install);
  install(bus);
}

command('time', () => new Date().toISOString());
command('uptime', () => process.uptime().toFixed(1));
command('count', () => String(wss.clients.size));
plugin((events) => events.on('said', (text) => console.log(text)));

const wss = new Server({ port: process.env.PORT || 8080 });
const flush = setInterval(() => bus.emit('said', `${wss.clients.size} connected`), 60_000);
wss.on('close', () => clearInterval(flush));

wss.on('connection', (ws) => {
  ws.on('error', () => ws.terminate());
  ws.on('message', (data) => {
    const text = data.toString();
    bus.emit('said', text);
    const run = commands.get(text);
    ws.send(run ? run() : 'unknown command');
  });
});
