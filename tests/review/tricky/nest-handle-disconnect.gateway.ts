// clean
import { EventEmitter } from 'node:events';
import { Injectable, OnModuleDestroy } from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  OnGatewayConnection,
  OnGatewayDisconnect,
  SubscribeMessage,
  WebSocketGateway,
} from '@nestjs/websockets';
import type { Socket } from 'socket.io';

@Injectable()
export class Tracker {
  private readonly perOrder = new Map<string, Set<Socket>>();

  watch(order: string, client: Socket) {
    const watchers = this.perOrder.get(order) ?? new Set<Socket>();
    this.perOrder.set(order, watchers.add(client));
  }

  dropClient(client: Socket) {
    for (const [order, watchers] of this.perOrder) {
      if (watchers.delete(client) && watchers.size === 0) this.perOrder.delete(order);
    }
  }
}

@WebSocketGateway({ namespace: 'orders' })
export class OrdersGateway implements OnGatewayConnection, OnGatewayDisconnect, OnModuleDestroy {
  private readonly timers: Record<string, NodeJS.Timeout> = {};
  private readonly events = new EventEmitter();

  constructor(private readonly tracker: Tracker) {
    this.events.on('idle', (client: Socket) => client.disconnect(true));
  }

  handleConnection(client: Socket) {
    this.timers[client.id] = setTimeout(() => this.events.emit('idle', client), 30_000);
  }

  @SubscribeMessage('watch')
  watch(@ConnectedSocket() client: Socket, @MessageBody() order: string) {
    this.timers[client.id]?.refresh();
    this.tracker.watch(String(order), client);
  }

  handleDisconnect(client: Socket) {
    clearTimeout(this.timers[client.id]);
    delete this.timers[client.id];
    this.tracker.dropClient(client);
  }

  onModuleDestroy() {
    Object.values(this.timers).forEach(clearTimeout);
    this.events.removeAllListeners();
  }
}
