// clean
const fs = require('fs');
const http = require('http');
const path = require('path');
const { pipeline } = require('stream');

const root = path.resolve(process.env.FILES || '.');

http
  .createServer((req, res) => {
    const file = path.join(root, path.normalize('/' + req.url.split('?')[0]));
    const body = fs.createReadStream(file);
    res.setHeader('Content-Type', 'application/octet-stream');
    pipeline(body, res, (err) => {
      if (err && !res.destroyed) res.destroy();
    });
  })
  .listen(process.env.PORT || 8080);
