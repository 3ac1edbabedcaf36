const fs = require('fs');
const http = require('http');
const path = require('path');

const root = path.resolve(process.env.FILES || '.');

http
  .createServer((req, res) => {
    const file = path.join(root, path.normalize('/' + req.url.split('?')[0]));
    const body = fs.createReadStream(file); // expect: LC006
    body.on('error', () => {
      if (!res.headersSent) res.statusCode = 404;
      res.end();
    });
    res.setHeader('Content-Type', 'application/octet-stream');
    body.pipe(res);
  })
  .listen(process.env.PORT || 8080);
