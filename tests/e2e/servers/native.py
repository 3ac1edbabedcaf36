# A server in Python for tcp://: the argument says what a connection leaves.
import asyncio
import ctypes
import sys

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
kept = []

plants = {
    'clean': lambda: bytearray(8000),
    'leak_malloc': lambda: ctypes.memset(libc.malloc(1024), 1, 1024),
    'leak_objects': lambda: kept.append([str(i) for i in range(len(kept), len(kept) + 60)]),
}


async def serve(reader, writer):
    plants[sys.argv[1]]()
    while data := await reader.read(512):
        writer.write(data)
    writer.close()


async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    print('listening on 127.0.0.1:%d' % server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
