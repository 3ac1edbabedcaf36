// clean
const http = require('http');
const { server: WebSocketServer } = require('websocket');

const httpServer = http.createServer((req, res) => {
  res.statusCode = 404;
  res.end();
});

const games = new Map();

const wsServer = new WebSocketServer({ httpServer, keepaliveInterval: 20000 });

wsServer.on('request', (request) => {
  const code = request.resourceURL.pathname.slice(1, 7);
  if (!/^[a-z]{6}$/.test(code)) return request.reject(400, 'six letters');

  const connection = request.accept(null, request.origin);
  const game = games.get(code) || { players: [], moves: 0 };
  games.set(code, game);
  game.players.push(connection);

  connection.on('message', ({ type, utf8Data }) => {
    if (type !== 'utf8') return;
    game.moves += 1;
    for (const player of game.players) player.sendUTF(`${game.moves} ${utf8Data}`);
  });

  connection.on('close', () => {
    game.players = game.players.filter((player) => player !== connection);
    if (game.players.length === 0) games.delete(code);
  });
});

httpServer.listen(process.env.PORT || 8080);
