"""An echo server with a heartbeat, as asyncio's streams make it: python3 asyncio_server.py PORT."""

import asyncio
import sys

IDLE_SECONDS = 30.0


async def converse(reader, writer):
    peer = writer.get_extra_info("peername")
    try:
        while line := await asyncio.wait_for(reader.readline(), IDLE_SECONDS):
            text = line.decode()
            print(f"Received {text!r} from {peer!r}", flush=True)
            said = text.strip()
            writer.write(b"pong\n" if said == "ping" else f"from server: {said}\n".encode())
            await writer.drain()
        print("断开连接", flush=True)
    except asyncio.TimeoutError:
        print("超时断连", flush=True)
        writer.write("超时断开连接\n".encode())
        await writer.drain()
    finally:
        print("Close the connection", flush=True)
        writer.close()
        await writer.wait_closed()


async def serve(port):
    server = await asyncio.start_server(converse, "127.0.0.1", port)
    print("Serving on", ", ".join(str(socket.getsockname()) for socket in server.sockets), flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(serve(int(sys.argv[1])))
