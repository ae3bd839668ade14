"""A browser's side of Web Push, by http_ece: makes keys, and reads messages (RFC 8291)."""

import base64
import json
import os
import sys

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


asked = json.load(sys.stdin)
if sys.argv[1] == "keys":
    private = ec.generate_private_key(ec.SECP256R1())
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    number = private.private_numbers().private_value.to_bytes(32, "big")
    answer = {"private": encode(number), "keys": {"p256dh": encode(point), "auth": encode(os.urandom(16))}}
else:
    private = ec.derive_private_key(int.from_bytes(decode(asked["private"]), "big"), ec.SECP256R1())
    auth = decode(asked["keys"]["auth"])
    answer = [
        json.loads(http_ece.decrypt(decode(body), private_key=private, auth_secret=auth, version="aes128gcm"))
        for body in asked["bodies"]
    ]
json.dump(answer, sys.stdout)
