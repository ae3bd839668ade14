"""Waits for URIs of a scheme as the documentation of `uri_scheme::handover` says, and prints each.

usage: wait_for_uri.py SCHEME COUNT"""

import hmac
import os
import pathlib
import secrets
import socket
import sys

scheme, count = sys.argv[1], int(sys.argv[2])
runtime = os.environ.get("XDG_RUNTIME_DIR", "")
if os.path.isdir(runtime) and os.stat(runtime).st_uid == os.getuid():
    folder = pathlib.Path(runtime, "fujie")
else:
    folder = pathlib.Path.home() / ".local/state/fujie"
folder.parent.mkdir(parents=True, exist_ok=True)
folder.mkdir(mode=0o700, exist_ok=True)
file = folder / scheme
opener, waiting = secrets.token_hex(32), secrets.token_hex(32)

with socket.create_server(("127.0.0.1", 0)) as server:
    port = server.getsockname()[1]
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, f"fujie-handover 1\n{port}\n{opener}\n{waiting}\n".encode())
        os.close(descriptor)
        print("waiting", flush=True)
        while count:
            connection, _ = server.accept()
            connection.settimeout(20)
            with connection, connection.makefile("rwb") as lines:
                if not hmac.compare_digest(lines.readline(66), f"{opener}\n".encode()):
                    continue
                lines.write(f"{waiting}\n".encode())
                lines.flush()
                uri = lines.readline(8194)
                if not uri.endswith(b"\n"):
                    continue
                lines.write(b"ok\n")
            sys.stdout.buffer.write(uri)
            sys.stdout.flush()
            count -= 1
    finally:
        file.unlink()
