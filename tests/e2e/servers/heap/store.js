'use strict';
const tickets = {};
exports.keep = (id, ticket) => {
  tickets[`ticket-${id}`] = ticket;
};
