"""An echo server with a heartbeat on asyncio's streams, as a tutorial has it: what `bench/run channel` compares with.

python3 asyncio_echo.py PORT [--quiet]: with --quiet it prints nothing, which is faster.
"""

import asyncio
import sys

IDLE_SECONDS = 30.0


def say(words):
    if "--quiet" not in sys.argv:
        print(words)


async def converse(reader, writer):
    peer = writer.get_extra_info("peername")
    try:
        while line := await asyncio.wait_for(reader.readline(), IDLE_SECONDS):
            text = line.decode()
            say(f"Received {text!r} from {peer!r}")
            said = text.strip()
            writer.write(b"pong\n" if said == "ping" else f"from server: {said}\n".encode())
            await writer.drain()
        say("断开连接")
    except asyncio.TimeoutError:
        say("超时断连")
        writer.write("超时断开连接\n".encode())
        await writer.drain()
    except ConnectionError:
        pass  # The bench closes ten thousand connections at once, and does not want to read about each.
    finally:
        say("Close the connection")
        writer.close()


async def serve(port):
    server = await asyncio.start_server(converse, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


asyncio.run(serve(int(sys.argv[1])))
