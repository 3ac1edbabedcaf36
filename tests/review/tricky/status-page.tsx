// clean
import { createServer, type ServerResponse } from 'node:http';
import { renderToStaticMarkup } from 'react-dom/server';

const watching = new Set<ServerResponse>();
const started = Date.now();

function Row({ label, value }: { label: string; value: number }) {
  return (
    <tr>
      <th>{label}</th>
      <td>{value.toLocaleString('en')}</td>
    </tr>
  );
}

function Page({ watchers }: { watchers: number }) {
  return (
    <table>
      <Row label="watching" value={watchers} />
      <Row label="up, seconds" value={(Date.now() - started) / 1000} />
    </table>
  );
}

const render = () => renderToStaticMarkup(<Page watchers={watching.size} />);

setInterval(() => {
  const html = render();
  for (const response of watching) response.write(`data: ${html}\n\n`);
}, 2000);

createServer((request, response) => {
  if (request.url !== '/stream') {
    response.setHeader('content-type', 'text/html').end(render());
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  watching.add(response);
  request.on('close', () => watching.delete(response));
}).listen(Number(process.env.PORT ?? 8080));
