// Planted: a client's FIN without a close frame is not answered: the socket stays in CLOSE_WAIT.
'use strict';

require('./listen').serve((socket) => socket._socket.removeAllListeners('end'));
