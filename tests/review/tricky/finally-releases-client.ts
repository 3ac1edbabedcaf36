// clean
import { createServer, type ServerResponse } from 'node:http';
import { Pool } from 'pg';

const pool = new Pool({ max: 8 });
pool.on('error', (error: Error) => console.error('idle client:', error.message));

const inFlight = new Map<number, { path: string; started: number }>();
let number = 0;

async function report(path: string, response: ServerResponse): Promise<void> {
  const id = ++number;
  inFlight.set(id, { path, started: performance.now() });
  try {
    const client = await pool.connect();
    try {
      const { rows } = await client.query('select * from reports where path = $1', [path]);
      response.setHeader('content-type', 'application/json').end(JSON.stringify(rows));
    } finally {
      client.release();
    }
  } finally {
    inFlight.delete(id);
  }
}

createServer((request, response) => {
  report(request.url ?? '/', response).catch((error: Error) => {
    console.error(error.message);
    if (!response.headersSent) response.statusCode = 500;
    response.end();
  });
}).listen(Number(process.env.PORT ?? 8080));
