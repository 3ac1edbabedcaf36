// clean
import { Logger } from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  OnGatewayConnection,
  OnGatewayDisconnect,
  SubscribeMessage,
  WebSocketGateway,
} from '@nestjs/websockets';
import type { Socket } from 'socket.io';

interface Participant {
  socket: Socket;
  nickname: string;
}

@WebSocketGateway({ namespace: 'chat' })
export class ChatGateway implements OnGatewayConnection, OnGatewayDisconnect {
  private readonly logger = new Logger(ChatGateway.name);
  private readonly participants = new Map<string, Participant>();

  handleConnection(client: Socket) {
    this.participants.set(client.id, { socket: client, nickname: 'anonymous' });
  }

  handleDisconnect(client: Socket) {
    this.logger.log(`${client.id} left`);
    this.participants.delete(client.id);
  }

  @SubscribeMessage('nickname')
  rename(@ConnectedSocket() client: Socket, @MessageBody() nickname: string) {
    const participant = this.participants.get(client.id);
    if (participant) participant.nickname = String(nickname).slice(0, 32);
    return { event: 'nickname', data: participant?.nickname };
  }

  @SubscribeMessage('say')
  say(@ConnectedSocket() client: Socket, @MessageBody() text: string) {
    const from = this.participants.get(client.id)?.nickname;
    for (const { socket } of this.participants.values()) socket.emit('said', { from, text });
  }
}
