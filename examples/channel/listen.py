"""Prints the events of a topic and resumes after a break: FUJIE_TOKEN=… python3 listen.py HOST PORT TOPIC"""
import asyncio, json, os, random, sys

async def ping(writer):
    while not writer.is_closing():
        writer.write(b"ping\n")
        await asyncio.sleep(10)

async def listen(host, port, topic, last=""):
    while True:
        try:
            reader, writer = await asyncio.open_connection(host, port)
            pings = asyncio.create_task(ping(writer))
            writer.write(f"auth {os.environ['FUJIE_TOKEN']}\nsubscribe {topic} {last}\n".encode())
            while line := (await reader.readline()).decode():
                word, _, rest = line.partition(" ")
                if word == "event":
                    print(rest, end="", flush=True)
                    last = json.loads(rest)["id"]
                elif rest.startswith("subscribe"):
                    last = last or rest.split()[2]
                elif word == "error" and not rest.startswith(("too_slow", "temporarily")):
                    sys.exit(line)
            writer.close()
        except OSError as error:
            print(error, file=sys.stderr)
        await asyncio.sleep(random.uniform(1, 5))  # a thousand listeners do not come back at once

asyncio.run(listen(*sys.argv[1:4]))
