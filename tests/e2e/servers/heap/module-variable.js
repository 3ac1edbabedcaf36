// Planted: another CommonJS module keeps a Ticket per connection under a name made of its number.
'use strict';
const { serve } = require('../listen');
const store = require('./store');

class Ticket {
  constructor(id) {
    this.id = id;
    this.fields = new Array(100).fill(null);
  }
}
let next = 0;

serve(() => store.keep(++next, new Ticket(next)));
