// clean
import { leave, tell } from './rooms.mjs';

export function wire(ws, room) {
  ws.on('error', (error) => console.error(room, error.message));
  ws.on('message', (data) => tell(room, data.toString(), ws));
  ws.on('close', () => leave(room, ws));
}
