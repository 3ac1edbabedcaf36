import express from 'express';
import expressWs from 'express-ws';
import type { WebSocket } from 'ws';
import type { Request } from 'express';

const { app } = expressWs(express());

interface Account {
  plan: 'free' | 'paid';
}

async function accountOf(key: string): Promise<Account> {
  const answer = await fetch(`http://127.0.0.1:9600/accounts/${encodeURIComponent(key)}`);
  return (await answer.json()) as Account;
}

const serve = async (ws: WebSocket, req: Request) => { // expect: RB002
  ws.on('error', () => ws.terminate());
  const account = await accountOf(String(req.query['key'])).catch(() => ({ plan: 'free' }));
  ws.on('message', (data) => {
    ws.send(account.plan === 'paid' ? data.toString() : data.toString().slice(0, 10));
  });
};

app.ws('/trim', serve);
app.listen(Number(process.env.PORT ?? 3000));
