// clean
const { EventEmitter } = require('events');
const http = require('http');

// Long polling: every waiter is answered by the next change, or told after 25 s that there is none.
const changes = new EventEmitter().setMaxListeners(0);
let version = 1;

function waitForChange(res) {
  const answer = (v) => {
    clearTimeout(deadline);
    res.off('close', forget);
    res.end(JSON.stringify({ version: v }));
  };
  const forget = () => {
    clearTimeout(deadline);
    changes.off('change', answer);
  };
  const deadline = setTimeout(() => {
    changes.off('change', answer);
    res.writeHead(304).end();
  }, 25_000);

  changes.once('change', answer);
  res.once('close', forget);
}

http
  .createServer((req, res) => {
    if (req.method === 'PUT') {
      changes.emit('change', ++version);
      res.writeHead(204).end();
    } else if (Number(req.headers['if-none-match']) === version) {
      waitForChange(res);
    } else {
      res.end(JSON.stringify({ version }));
    }
  })
  .listen(process.env.PORT || 8080);
