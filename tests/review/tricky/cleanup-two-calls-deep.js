// clean
const { createServer } = require('http');
const { WebSocketServer } = require('ws');

const httpServer = createServer();
const wss = new WebSocketServer({ server: httpServer, path: '/live' });

const byFixture = new Map();
const stats = { joined: 0, left: 0 };

function follow(client, fixture) {
  const audience = byFixture.get(fixture) || new Set();
  byFixture.set(fixture, audience);
  audience.add(client);
  client.fixtures.push(fixture);
}

function unfollow(client, fixture) {
  const audience = byFixture.get(fixture);
  if (audience === undefined) return;
  audience.delete(client);
  if (audience.size === 0) byFixture.delete(fixture);
}

function unfollowAll(client) {
  client.fixtures.splice(0).forEach((fixture) => unfollow(client, fixture));
}

function hangUp(client) {
  stats.left++;
  unfollowAll(client);
}

wss.on('connection', (client) => {
  stats.joined++;
  client.fixtures = [];
  client.on('message', (fixture) => follow(client, fixture.toString().slice(0, 40)));
  client.on('error', () => client.terminate());
  client.on('close', () => hangUp(client));
});

httpServer.listen(process.env.PORT || 8080);
