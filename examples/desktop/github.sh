#!/bin/sh
# Signs a person in with GitHub: GITHUB_CLIENT_ID=… GITHUB_CLIENT_SECRET=… sh github.sh
# What is secret goes through pipes: the arguments of a program can be seen by other users.
site=${GITHUB_AT:-https://github.com} api=${GITHUB_AT:-https://api.github.com} port=${PORT:-8000}
encoded() { printf %s "$1" | od -An -v -tx1 | tr -d '\n' | tr ' ' %; }
app="client_id=$GITHUB_CLIENT_ID&redirect_uri=http://127.0.0.1:$port/getcode"
state=$(openssl rand -hex 32) verifier=$(openssl rand -hex 32)
challenge=$(printf %s "$verifier" | openssl sha256 -binary | base64 | tr '+/' '-_' | tr -d '=')
url="$site/login/oauth/authorize?$app&state=$state&code_challenge=$challenge&code_challenge_method=S256"

# The browser starts when the receiver says that it waits; what else it says is for the person.
show() { "${BROWSER:-xdg-open}" "$url" || echo "The browser did not open. Open this address yourself: $url"; }
follow() { read -r said; echo "$said"; case $said in *"Waiting at"*) show & ;; esac; cat; }
receive() { fujie-receive --lang en --port "$port" --path /getcode --state "$state" 2>&1 >&3 3>&-; }
code=$({ receive | follow >&2 3>&-; } 3>&1)

form="$app&client_secret=$(encoded "$GITHUB_CLIENT_SECRET")&code_verifier=$verifier&code=$(encoded "${code:?}")"
token=$(printf %s "$form" | curl -fsSd @- "$site/login/oauth/access_token" | sed -n 's/.*access_token=\([^&]*\).*/\1/p')
: "${token:?GitHub gave none. Are the client id and its secret right?}"
user=$(printf %s "Authorization: Bearer $token" | curl -fsSH @- "$api/user") || exit
echo "Signed in as $(printf %s "$user" | sed -n 's/.*"login": *"\([^"]*\)".*/\1/p')"
