import express from 'express';
import expressWs from 'express-ws';
import { subscribe } from './news-feed.mjs';

const { app } = expressWs(express());

app.ws('/news/:section', (ws, req) => {
  subscribe(req.params.section, (item) => { // expect: LC006|LC001 #feed
    if (ws.readyState === ws.OPEN) ws.send(JSON.stringify(item));
  });
  ws.on('error', (error) => console.error(error.message));
});

app.listen(process.env.PORT ?? 3000);
