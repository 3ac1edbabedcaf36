// Planted: one outgoing connection per connection, to the port in UPSTREAM.
'use strict';
const net = require('node:net');

require('./listen').serve(() => net.connect(Number(process.env.UPSTREAM), '127.0.0.1'));
