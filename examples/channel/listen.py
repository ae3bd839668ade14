"""Prints the events of a topic and resumes after a break: FUJIE_TOKEN=… python3 listen.py HOST PORT TOPIC"""
import asyncio, contextlib, json, os, random, sys

async def ping(writer):
    while not (writer.is_closing() or await asyncio.sleep(10)):
        writer.write(b"ping\n")

async def listen(host, port, topic, last=""):
    while not await asyncio.sleep(random.uniform(0, 5)):  # a thousand listeners do not come back at once
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(host, port)
            pings = asyncio.create_task(ping(writer))
            writer.write(f"auth {os.environ['FUJIE_TOKEN']}\nsubscribe {topic} {last}\n".encode())
            async for line in reader:
                if line.startswith(b"event "):
                    print(line[6:].decode(), end="", flush=True)
                    last = json.loads(line[6:])["id"]
                elif line.startswith(b"ok subscribe "):
                    last = line.split()[3].decode()
                elif line.startswith(b"error ") and line.split()[1] not in (b"too_slow", b"temporarily_unavailable"):
                    sys.exit(line.decode())
            writer.close()

asyncio.run(listen(*sys.argv[1:4]))
