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

  constructor(private readonly alarms$: Subject<Alarm>) {}

  handleConnection(client: Socket) {
    const site = String(client.handshake.query['site'] ?? '');
    this.alarms$ // expect: LC006
      .pipe(
        filter((alarm) => alarm.site === site),
        map((alarm) => alarm.level),
      )
      .subscribe((level) => client.emit('alarm', level));
  }

  handleDisconnect(client: Socket) {
    client.removeAllListeners();
  }
}
