// clean
var net = require('net');

var terminals = {};
var counter = 0;

var server = net.createServer({ allowHalfOpen: true }, function (socket) {
  var id = 't' + (counter += 1);
  terminals[id] = socket;

  socket.on('data', function (bytes) {
    for (var other in terminals) {
      if (other !== id) terminals[other].write(bytes);
    }
  });

  // They said all they had to say; we may still have something to say to them.
  socket.on('end', function () {
    socket.end('so long, ' + id + '\n');
  });

  socket.on('error', function (err) {
    console.log(id, err.code);
  });

  // After an end, an error or a reset alike.
  socket.on('close', function () {
    delete terminals[id];
  });

  socket.setTimeout(120000);
  socket.on('timeout', function () {
    socket.destroy();
  });
});

server.listen(process.env.PORT || 7011);
