import express from 'express';
import expressWs from 'express-ws';

const { app } = expressWs(express());

const jitter = () => 200 + Math.random() * 300;

app.ws('/telemetry', (ws) => {
  let n = 0;

  function sample() {
    if (ws.readyState === ws.OPEN) ws.send(`${n++} ${process.uptime()}`);
    setTimeout(sample, jitter()); // expect: LC005
  }
  sample();

  ws.on('error', (error) => console.error(error));
});

app.listen(process.env.PORT ?? 3000);
