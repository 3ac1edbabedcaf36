// clean
const rooms = new Map();

export function enter(name, ws) {
  if (!rooms.has(name)) rooms.set(name, new Set());
  rooms.get(name).add(ws);
}

export function leave(name, ws) {
  const room = rooms.get(name);
  if (room?.delete(ws) && room.size === 0) rooms.delete(name);
}

export function tell(name, text, except) {
  for (const ws of rooms.get(name) ?? []) {
    if (ws !== except && ws.readyState === ws.OPEN) ws.send(text);
  }
}

export const census = () => Object.fromEntries([...rooms].map(([name, set]) => [name, set.size]));
