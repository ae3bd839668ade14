# Signs a person in with GitHub: GITHUB_CLIENT_ID=… GITHUB_CLIENT_SECRET=… python3 github.py
import base64, hashlib, json, os, secrets, subprocess, urllib.request as http, webbrowser
site, api = (os.environ.get("GITHUB_AT", url) for url in ("https://github.com", "https://api.github.com"))
state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
receiver = subprocess.Popen(["fujie-receive", "--lang", "en", "--state", state], stdout=-1, stderr=-1, text=True)
app = f"client_id={os.environ['GITHUB_CLIENT_ID']}&redirect_uri={receiver.stderr.readline().split()[3]}"  # it waits there
webbrowser.open(f"{site}/login/oauth/authorize?{app}&state={state}&code_challenge={challenge}&code_challenge_method=S256")
form = f"{app}&client_secret={os.environ['GITHUB_CLIENT_SECRET']}&code_verifier={verifier}&code={receiver.stdout.read().strip()}"
token = json.load(http.urlopen(http.Request(f"{site}/login/oauth/access_token", form.encode(), {"Accept": "application/json"})))
print("Signed in as", json.load(http.urlopen(http.Request(f"{api}/user", headers={"Authorization": f"Bearer {token['access_token']}"})))["name"])
