// clean
import { Inject } from '@nestjs/common';
import { OnGatewayConnection, OnGatewayDisconnect, WebSocketGateway } from '@nestjs/websockets';
import type { Socket } from 'socket.io';

export interface Profiles {
  byToken(token: unknown): Promise<{ id: string } | null>;
}

@WebSocketGateway()
export class ProfileGateway implements OnGatewayConnection, OnGatewayDisconnect {
  #sessions = new Map<string, { socket: Socket; userId: string }>();

  constructor(@Inject('PROFILES') private readonly profiles: Profiles) {}

  async handleConnection(client: Socket) {
    try {
      const profile = await this.profiles.byToken(client.handshake.auth.token);
      if (profile === null) {
        client.disconnect(true);
        return;
      }
      if (client.disconnected) return;
      this.#sessions.set(client.id, { socket: client, userId: profile.id });
    } catch {
      client.disconnect(true);
    }
  }

  handleDisconnect(client: Socket) {
    this.#sessions.delete(client.id);
  }

  socketsOf(userId: string): Socket[] {
    return [...this.#sessions.values()].filter((s) => s.userId === userId).map((s) => s.socket);
  }
}
