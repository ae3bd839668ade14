"""A person with a browser: opens an address of the server, signs in by password, allows what is asked."""

import html
import os
import re
from urllib.parse import urljoin

import requests

ISSUER = os.environ["ISSUER"]
ACCOUNT = {"username": "alice", "password": os.environ["PASSWORD"]}


def signs_in(address):
    """Where the browser ends: the first address that is not the server's, as the application receives it."""
    browser = requests.Session()
    page = browser.get(address, allow_redirects=False)
    for _ in range(10):
        if page.is_redirect:
            address = urljoin(page.url, page.headers["location"])
            if not address.startswith(ISSUER + "/"):
                return address
            page = browser.get(address, allow_redirects=False)
        else:
            action, press = ("/consent", {"decision": "allow"}) if 'action="/consent"' in page.text else ("/sign-in", ACCOUNT)
            hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
            form = {name: html.unescape(value) for name, value in hidden} | press
            page = browser.post(ISSUER + action, data=form, allow_redirects=False)
    raise AssertionError(f"no way out of {page.url}: {page.text}")
