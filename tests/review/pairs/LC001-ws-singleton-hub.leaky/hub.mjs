import { WebSocket } from 'ws';

class Hub {
  constructor() {
    this.channels = {};
  }

  join(channel, socket) {
    const members = (this.channels[channel] ??= new Set());
    members.add(socket); // expect: LC001
  }

  leave(channel, socket) {
    const members = this.channels[channel];
    if (!members) return;
    members.delete(socket);
    if (members.size === 0) delete this.channels[channel];
  }

  publish(channel, text) {
    this.channels[channel]?.forEach((socket) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    });
  }
}

export const hub = new Hub();
