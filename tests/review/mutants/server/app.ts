// clean: all
import express, { type Express } from 'express';
import type { Fixtures, Status } from './fixtures.js';
import type { Hub } from './hub.js';

const STATUSES: readonly string[] = ['scheduled', 'live', 'finished'] satisfies Status[];

export function createApp(hub: Hub, fixtures: Fixtures): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json({ limit: '16kb' }));

  app.get('/health', (_req, res) => {
    res.json({ ok: true, uptime: process.uptime() });
  });

  app.get('/matches/:id/commentary', (req, res) => {
    res.json(hub.recent(Number(req.params.id)));
  });

  app.post('/matches/:id/commentary', async (req, res) => {
    const match = await fixtures.find(Number(req.params.id));
    const { minute, text } = req.body ?? {};
    if (!match) {
      res.status(404).json({ error: 'no such match' });
      return;
    }
    if (!Number.isInteger(minute) || typeof text !== 'string') {
      res.status(400).json({ error: 'minute and text are needed' });
      return;
    }
    const delivered = hub.publish(match.id, { minute, text });
    res.status(201).json({ delivered });
  });

  app.put('/matches/:id/status', async (req, res) => {
    const status = String(req.body?.status);
    if (!STATUSES.includes(status)) {
      res.status(400).json({ error: 'unknown status' });
      return;
    }
    const found = await fixtures.setStatus(Number(req.params.id), status as Status);
    res.sendStatus(found ? 204 : 404);
  });

  return app;
}
