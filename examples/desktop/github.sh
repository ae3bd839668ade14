#!/bin/sh
# Signs a person in with GitHub: GITHUB_CLIENT_ID=… GITHUB_CLIENT_SECRET=… sh github.sh
site=${GITHUB_AT:-https://github.com} api=${GITHUB_AT:-https://api.github.com} port=${PORT:-8000}
app="client_id=$GITHUB_CLIENT_ID&redirect_uri=http://127.0.0.1:$port/getcode"
state=$(openssl rand -hex 32) verifier=$(openssl rand -hex 32)
challenge=$(printf %s "$verifier" | openssl sha256 -binary | base64 | tr '+/' '-_' | tr -d '=')
asked="$app&state=$state&code_challenge=$challenge&code_challenge_method=S256"
"${BROWSER:-xdg-open}" "$site/login/oauth/authorize?$asked" & # slower by far than the next line
code=$(fujie-receive --port "$port" --path /getcode --state "$state") || exit
form="$app&client_secret=$GITHUB_CLIENT_SECRET&code_verifier=$verifier&code=$code"
token=$(curl -fsS -d "$form" "$site/login/oauth/access_token" | sed 's/.*access_token=\([^&]*\).*/\1/')
echo "Signed in as $(curl -fsS -H "Authorization: Bearer $token" "$api/user" | sed 's/.*"name": *"\([^"]*\)".*/\1/')"
