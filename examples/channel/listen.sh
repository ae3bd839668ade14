#!/bin/sh
# Prints the events of a topic, each on a line of JSON, and resumes after a break:
#   ISSUER=https://id.example.com FUJIE_TOKEN=… sh listen.sh TOPIC
last=$(mktemp) && trap 'rm -f "$last"' EXIT && trap exit INT TERM
while :; do
  # The token goes through a pipe: an argument would be seen in the list of processes.
  { echo "Authorization: Bearer $FUJIE_TOKEN"; sed 's/^/Last-Event-ID: /' "$last"; } |
    curl --silent --show-error --fail --no-buffer -H @- -H 'Accept: text/event-stream' "$ISSUER/topics/$1/events" |
    while IFS=' ' read -r field value; do
      case $field in
        event:) name=$value ;;
        id:) echo "$value" >"$last" ;;
        data:) [ -n "${name:-}" ] || printf '%s\n' "$value" ;;
        '') name= ;;
      esac
    done
  sleep 3
done
