#!/bin/sh
# Signs a person in with GitHub: GITHUB_CLIENT_ID=… GITHUB_CLIENT_SECRET=… sh github.sh
# Fujie keeps the token, so the browser opens only when there is none.
token=$(fujie token github)
if [ $? = 4 ]; then # Nobody has signed in yet, or no longer.
  token=$(fujie login github --output token)
fi
[ -n "$token" ] || exit 1 # Fujie has said why.

# The token goes through a pipe: the arguments of a program can be seen by other users.
api=${GITHUB_AT:-https://api.github.com}
user=$(printf 'Authorization: Bearer %s' "$token" | curl -fsS -H @- "$api/user") || exit
echo "Signed in as $(printf %s "$user" | sed -n 's/.*"login": *"\([^"]*\)".*/\1/p')"
