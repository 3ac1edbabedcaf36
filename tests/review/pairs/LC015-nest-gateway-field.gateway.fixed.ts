// clean
import { OnGatewayConnection, OnGatewayDisconnect, WebSocketGateway } from '@nestjs/websockets';
import { interval, type Subscription } from 'rxjs';
import type { WebSocket } from 'ws';

@WebSocketGateway({ path: '/uptime' })
export class UptimeGateway implements OnGatewayConnection, OnGatewayDisconnect {
  private readonly subscriptions = new Map<WebSocket, Subscription>();

  handleConnection(client: WebSocket): void {
    const subscription = interval(1000).subscribe(() => {
      if (client.readyState === client.OPEN) client.send(process.uptime().toFixed(0));
    });
    this.subscriptions.set(client, subscription);
  }

  handleDisconnect(client: WebSocket): void {
    this.subscriptions.get(client)?.unsubscribe();
    this.subscriptions.delete(client);
  }
}
