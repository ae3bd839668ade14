# Signs a person in with GitHub: GITHUB_CLIENT_ID=… GITHUB_CLIENT_SECRET=… python3 github.py
import base64, hashlib, json, os, secrets, subprocess, sys, urllib.request as http, webbrowser
from urllib.parse import parse_qs, urlencode
site, api = (os.environ.get("GITHUB_AT", url) for url in ("https://github.com", "https://api.github.com"))
state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")

# It is there when it says so: "fujie-receive: Waiting at http://127.0.0.1:41873/callback for 300 s. …"
receiver = subprocess.Popen(["fujie-receive", "--lang", "en", "--state", state], stdout=-1, stderr=-1, text=True)
app = {"client_id": os.environ["GITHUB_CLIENT_ID"], "redirect_uri": receiver.stderr.readline().split()[3]}
asked = urlencode({**app, "state": state, "code_challenge": challenge, "code_challenge_method": "S256"})
url = f"{site}/login/oauth/authorize?{asked}"
webbrowser.open(url) or print("The browser did not open. Open this address yourself:", url, file=sys.stderr)
code = receiver.stdout.read().strip() or sys.exit(receiver.stderr.read())

form = {**app, "client_secret": os.environ["GITHUB_CLIENT_SECRET"], "code_verifier": verifier, "code": code}
answer = parse_qs(http.urlopen(f"{site}/login/oauth/access_token", urlencode(form).encode()).read().decode())
token = answer.get("access_token", [""])[0] or sys.exit("GitHub gave no token. Are the client id and its secret right?")
user = http.urlopen(http.Request(f"{api}/user", headers={"Authorization": f"Bearer {token}"}))
print("Signed in as", json.load(user)["login"])
