"""An asyncio server with a heartbeat: pings are answered, other lines come back, silent peers are cut off.

    asyncio_server.py [PORT [IDLE]]

Listens on PORT of the loopback interface (0: any) and prints where. IDLE is in seconds (30).
"""

import asyncio
import sys


def answer(line):
    return "pong\n" if line == "ping" else f"from server: {line}\n"


async def converse(reader, writer, idle):
    address = writer.get_extra_info("peername")
    try:
        while data := await asyncio.wait_for(reader.readline(), idle):
            message = data.decode()
            print(f"Received {message!r} from {address!r}", flush=True)
            writer.write(answer(message.strip()).encode())
            await writer.drain()
        print("断开连接", flush=True)
    except asyncio.TimeoutError:
        print("超时断连", flush=True)
        writer.write("超时断开连接\n".encode())
        await writer.drain()
    finally:
        print("Close the connection", flush=True)
        writer.close()


async def main(port=0, idle=30.0):
    server = await asyncio.start_server(lambda r, w: converse(r, w, float(idle)), "127.0.0.1", int(port))
    for socket in server.sockets:
        print(f"Serving on {socket.getsockname()}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
