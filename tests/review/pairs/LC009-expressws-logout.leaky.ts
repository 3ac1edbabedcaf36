import express from 'express';
import expressWs from 'express-ws';
import type { WebSocket } from 'ws';

const { app, getWss } = expressWs(express());

app.ws('/account', (ws: WebSocket) => {
  ws.on('error', (error) => console.error(error.message));
  ws.on('close', () => console.log('session lost'));
  ws.on('message', (data) => {
    if (data.toString() !== 'logout') return;
    ws.removeAllListeners('close'); // expect: LC009
    ws.close(1000, 'logged out');
  });
});

app.get('/sessions', (_req, res) => {
  res.json(getWss().clients.size);
});

app.listen(Number(process.env.PORT ?? 3000));
