// The other end of keeps-upstream.js: accepts and never closes.
'use strict';
require('./listen').listen(require('node:net').createServer((socket) => socket.on('error', () => {})));
