// clean
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { Client } from 'pg';

const database = new Client({ connectionString: process.env.DATABASE_URL });
database.on('error', (error) => console.error(error.message));
await database.connect();

const httpServer = createServer();
const io = new Server(httpServer);

async function search(term: string): Promise<string[]> {
  const query = 'select title from articles where title ilike $1';
  const found = await database.query(query, [`%${term}%`]);
  return found.rows.map((row: { title: string }) => row.title);
}

io.on('connection', (socket) => {
  socket.on('search', (term: string) => {
    search(String(term))
      .then((titles) => socket.emit('found', titles))
      .catch((error) => socket.emit('failed', error.message));
  });
});

httpServer.listen(Number(process.env.PORT ?? 3000));
