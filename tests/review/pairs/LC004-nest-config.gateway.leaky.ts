import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';
import {
  OnGatewayConnection,
  OnGatewayDisconnect,
  WebSocketGateway,
  WebSocketServer,
} from '@nestjs/websockets';
import type { Server, WebSocket } from 'ws';

@Injectable()
export class FlagStore extends EventEmitter {
  readonly flags: Record<string, boolean> = {};

  set(name: string, on: boolean) {
    this.flags[name] = on;
    this.emit('flag', name, on);
  }
}

@WebSocketGateway({ path: '/flags' })
export class FlagGateway implements OnGatewayConnection, OnGatewayDisconnect {
  @WebSocketServer() server!: Server;

  constructor(private readonly store: FlagStore) {}

  handleConnection(client: WebSocket) {
    const push = (name: string, on: boolean) => {
      client.send(JSON.stringify({ name, on }));
    };
    this.store.on('flag', push); // expect: LC004
    client.send(JSON.stringify(this.store.flags));
  }

  handleDisconnect(client: WebSocket) {
    client.terminate();
  }
}
