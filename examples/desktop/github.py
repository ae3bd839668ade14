# Signs a person in with GitHub: GITHUB_CLIENT_ID=… GITHUB_CLIENT_SECRET=… python3 github.py
# Fujie keeps the token, so the browser opens only when there is none.
import json, os, subprocess, sys, urllib.request

def fujie(*words):
    return subprocess.run(["fujie", *words], stdout=subprocess.PIPE, text=True)

done = fujie("token", "github")
if done.returncode == 4:  # Nobody has signed in yet, or no longer.
    done = fujie("login", "github", "--output", "token")
token = done.stdout.strip() or sys.exit(done.returncode)  # Fujie has said why.

api = os.environ.get("GITHUB_AT", "https://api.github.com")
request = urllib.request.Request(f"{api}/user", headers={"Authorization": f"Bearer {token}"})
print("Signed in as", json.load(urllib.request.urlopen(request))["login"])
