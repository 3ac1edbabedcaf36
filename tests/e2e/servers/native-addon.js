// Keeps nothing in JavaScript: an addon loses a kilobyte of native memory with each connection.
'use strict';
const lose = require(process.env.ADDON);
require('./listen').serve(() => lose());
