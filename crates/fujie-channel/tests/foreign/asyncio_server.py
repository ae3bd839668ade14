"""An asyncio server with a heartbeat, as a tutorial has it: pings are answered, other lines come back, silent peers are
cut off.

    asyncio_server.py [PORT [IDLE]] [--quiet]

Listens on PORT of the loopback interface (0: any); prints where, and what it hears, unless it is to be quiet. IDLE is in
seconds (30).
"""

import asyncio
import sys

IS_QUIET = "--quiet" in sys.argv


def answer(line):
    return "pong\n" if line == "ping" else f"from server: {line}\n"


def say(words):
    if not IS_QUIET:
        print(words, flush=True)


async def converse(reader, writer, idle):
    address = writer.get_extra_info("peername")
    try:
        while data := await asyncio.wait_for(reader.readline(), idle):
            message = data.decode()
            say(f"Received {message!r} from {address!r}")
            writer.write(answer(message.strip()).encode())
            await writer.drain()
        say("断开连接")
    except asyncio.TimeoutError:
        say("超时断连")
        writer.write("超时断开连接\n".encode())
        await writer.drain()
    except ConnectionError:
        pass  # Ten thousand peers may be gone at once: nobody wants to read about each.
    finally:
        say("Close the connection")
        writer.close()


async def main(port=0, idle=30.0):
    server = await asyncio.start_server(lambda r, w: converse(r, w, float(idle)), "127.0.0.1", int(port))
    for socket in server.sockets:
        say(f"Serving on {socket.getsockname()}")
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*(argument for argument in sys.argv[1:] if argument != "--quiet")))
