// clean
import {
  OnGatewayConnection,
  OnGatewayDisconnect,
  WebSocketGateway,
  WebSocketServer,
} from '@nestjs/websockets';
import { Subject, type Subscription } from 'rxjs';
import { filter, map } from 'rxjs/operators';
import type { Server, Socket } from 'socket.io';

export interface Alarm {
  site: string;
  level: number;
}

@WebSocketGateway({ namespace: '/alarms' })
export class AlarmGateway implements OnGatewayConnection, OnGatewayDisconnect {
  @WebSocketServer() server!: Server;
  private readonly subscriptions = new Map<string, Subscription>();

  constructor(private readonly alarms$: Subject<Alarm>) {}

  handleConnection(client: Socket) {
    const site = String(client.handshake.query['site'] ?? '');
    const subscription = this.alarms$
      .pipe(
        filter((alarm) => alarm.site === site),
        map((alarm) => alarm.level),
      )
      .subscribe((level) => client.emit('alarm', level));
    this.subscriptions.set(client.id, subscription);
  }

  handleDisconnect(client: Socket) {
    this.subscriptions.get(client.id)?.unsubscribe();
    this.subscriptions.delete(client.id);
  }
}
