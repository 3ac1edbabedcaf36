// Keeps nothing per connection, so that what a round costs varies little: the demo's servers, with
// 64 KB per session, differ by a fifth from round to round.
'use strict';
require('../e2e/servers/listen').serve(() => {});
