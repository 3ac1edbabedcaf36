// clean
const express = require('express');
const app = express();
const ews = require('express-ws')(app);

app.ws('/clock', function (ws, req) {
  ws.on('message', function (zone) {
    ws.send(new Date().toISOString() + ' ' + zone);
  });
  ws.on('error', console.error);
});

app.get('/', (req, res) => res.send(`${ews.getWss().clients.size} clocks`));
app.listen(process.env.PORT || 3000);
