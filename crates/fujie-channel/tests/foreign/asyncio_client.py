"""An asyncio client with a heartbeat: says one line, prints what it hears, and pings.

    asyncio_client.py HOST PORT MESSAGE [FIRST EVERY]

The first ping goes out after FIRST seconds (5), the others every EVERY seconds (10). Ends when the server
closes the connection.
"""

import asyncio
import sys


async def listen(reader):
    while line := await reader.readline():
        print(f"Received: {line.decode()!r}", flush=True)


async def ping(writer, first, every):
    await asyncio.sleep(first)
    while True:
        print("ping", flush=True)
        writer.write(b"ping\n")
        await writer.drain()
        await asyncio.sleep(every)


async def main(host, port, message, first=5.0, every=10.0):
    reader, writer = await asyncio.open_connection(host, port)
    print(f"Send: {message!r}", flush=True)
    writer.write(message.encode())
    await writer.drain()
    heartbeat = asyncio.create_task(ping(writer, float(first), float(every)))
    try:
        await listen(reader)
    finally:
        heartbeat.cancel()
        writer.close()
    print("断开连接", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
