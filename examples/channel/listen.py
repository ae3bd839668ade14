"""Prints the events of a topic and resumes after a break: python3 listen.py HOST PORT TOPIC, with a token in FUJIE_TOKEN."""
import asyncio, json, os, random, sys

last = ""  # the number of the last event; kept in a file, it would outlive this program, too

async def listen(host, port, topic):
    global last
    reader, writer = await asyncio.open_connection(host, port)
    async def ping():
        while True:
            await asyncio.sleep(10)
            writer.write(b"ping\n")
    pings = asyncio.create_task(ping())
    writer.write(f"auth {os.environ['FUJIE_TOKEN']}\nsubscribe {topic} {last}\n".encode())
    while line := (await reader.readline()).decode().strip():
        word, _, rest = line.partition(" ")
        if word == "event":
            print(rest, flush=True)
            last = json.loads(rest)["id"]
        elif rest.startswith(f"subscribe {topic} "):
            last = last or rest.split()[2]
        elif line.startswith(("error invalid", "error insufficient", "error access", "error unknown")):
            sys.exit(line)
    pings.cancel()
    writer.close()

async def main():
    while True:
        try:
            await listen(*sys.argv[1:4])
        except OSError as error:
            print(error, file=sys.stderr)
        await asyncio.sleep(random.uniform(1, 5))  # a thousand listeners do not come back at once

asyncio.run(main())
