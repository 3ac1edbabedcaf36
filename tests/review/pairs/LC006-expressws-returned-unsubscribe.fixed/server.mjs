// clean
import express from 'express';
import expressWs from 'express-ws';
import { subscribe } from './news-feed.mjs';

const { app } = expressWs(express());

app.ws('/news/:section', (ws, req) => {
  const unsubscribe = subscribe(req.params.section, (item) => {
    if (ws.readyState === ws.OPEN) ws.send(JSON.stringify(item));
  });
  ws.on('error', (error) => console.error(error.message));
  ws.on('close', unsubscribe);
});

app.listen(process.env.PORT ?? 3000);
