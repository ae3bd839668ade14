"""Reads, writes and pings at the same time, as asyncio's streams make it: python3 asyncio_client.py PORT."""

import asyncio
import sys


async def converse(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def write():
        print("Send: {!r}".format("Hello World!\n"), flush=True)
        writer.write(b"Hello World!\n")
        await writer.drain()

    async def read():
        while line := await reader.readline():
            print(f"Received: {line.decode()!r}", flush=True)

    async def ping():
        await asyncio.sleep(5)
        while True:
            print("ping", flush=True)
            writer.write(b"ping\n")
            await writer.drain()
            await asyncio.sleep(10)

    await asyncio.gather(read(), write(), ping())


asyncio.run(converse(int(sys.argv[1])))
