import { OnGatewayConnection, OnGatewayDisconnect, WebSocketGateway } from '@nestjs/websockets';
import { Socket } from 'socket.io';

@WebSocketGateway(3001, { cors: true })
export class PriceGateway implements OnGatewayConnection, OnGatewayDisconnect {
  private price = 100;

  handleConnection(client: Socket): void {
    client.data.timer = setInterval(() => { // expect: LC005
      this.price += Math.random() - 0.5;
      client.emit('price', this.price.toFixed(2));
    }, 250);
  }

  handleDisconnect(client: Socket): void {
    client.data = {};
  }
}
