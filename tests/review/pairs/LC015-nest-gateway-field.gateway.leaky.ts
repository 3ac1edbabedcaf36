import { OnGatewayConnection, OnGatewayDisconnect, WebSocketGateway } from '@nestjs/websockets';
import { interval, type Subscription } from 'rxjs';
import type { WebSocket } from 'ws';

@WebSocketGateway({ path: '/uptime' })
export class UptimeGateway implements OnGatewayConnection, OnGatewayDisconnect {
  private subscription?: Subscription;

  handleConnection(client: WebSocket): void {
    this.subscription = interval(1000).subscribe(() => { // expect: LC015
      if (client.readyState === client.OPEN) client.send(process.uptime().toFixed(0));
    });
  }

  handleDisconnect(): void {
    this.subscription?.unsubscribe();
  }
}
