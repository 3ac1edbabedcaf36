// clean
const express = require('express');
const app = express();
require('express-ws')(app);

const delays = [100, 200, 400, 800];

app.ws('/retry-demo', (ws) => {
  let attempt = 0;

  // Ends by itself after four rounds, or with the connection.
  function again() {
    if (ws.readyState !== ws.OPEN || attempt === delays.length) return;
    ws.send(`attempt ${attempt}`);
    setTimeout(again, delays[attempt++]);
  }

  ws.on('message', () => {
    if (attempt === 0) again();
  });
  ws.on('error', () => ws.terminate());
  setTimeout(() => ws.close(1000, 'time is up'), 5_000);
});

app.listen(process.env.PORT || 3000);
