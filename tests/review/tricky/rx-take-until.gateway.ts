// clean
import { OnGatewayConnection, OnGatewayDisconnect, WebSocketGateway } from '@nestjs/websockets';
import { Subject, fromEvent, interval, merge } from 'rxjs';
import { first, map, takeUntil } from 'rxjs/operators';
import type { WebSocket } from 'ws';

@WebSocketGateway({ path: '/pulse' })
export class PulseGateway implements OnGatewayConnection, OnGatewayDisconnect {
  private readonly left$ = new Subject<WebSocket>();
  private readonly beats$ = interval(500).pipe(map((n) => n % 2));

  handleConnection(client: WebSocket) {
    const closed$ = merge(
      fromEvent(client as never, 'close'),
      this.left$.pipe(first((who) => who === client, null)),
    );
    this.beats$.pipe(takeUntil(closed$)).subscribe((beat) => {
      if (client.readyState === client.OPEN) client.send(beat ? 'tick' : 'tock');
    });
  }

  handleDisconnect(client: WebSocket) {
    this.left$.next(client);
  }
}
