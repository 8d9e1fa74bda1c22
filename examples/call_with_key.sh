#!/bin/sh
# Make one call signed with a key of your own (SM2 or Ed25519) and verify the answer: openssl 3.0 or newer and curl.
#
#   call_with_key.sh URL KEY PRIVATE_KEY.pem PATH BODY
#   call_with_key.sh https://exchange.example ak0123 key.pem /openapi/v1/calls/GRANT/query '{"key": {"citizen_id": "..."}}'
#
# The platform's public keys are fetched anew here. In production fetch them once, over a way you trust, and keep them.
set -eu
url=$1 key=$2 private=$3 path=$4 body=$5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

options=-rawin
if openssl pkey -in "$private" -noout -text | grep -q SM2; then
    options="-rawin -digest sm3 -pkeyopt distid:1234567812345678"
fi

# The question: five lines joined by line feeds, none at the end.
printf '%s' "$body" > "$work/body"
timestamp=$(date +%s%3N) # milliseconds, as GNU date tells them
nonce=$(openssl rand -hex 12)
digest=$(openssl dgst -sha256 -r "$work/body" | cut -d ' ' -f 1)
printf 'POST\n%s\n%s\n%s\n%s' "$path" "$timestamp" "$nonce" "$digest" > "$work/question"
# shellcheck disable=SC2086 # the options are words
openssl pkeyutl -sign -inkey "$private" -in "$work/question" $options -out "$work/question.sig"
signature=$(openssl base64 -A -in "$work/question.sig")
curl -sS -D "$work/headers" -o "$work/answer" --data-binary "@$work/body" -H "Content-Type: application/json" \
    -H "X-Gov-Key: $key" -H "X-Gov-Timestamp: $timestamp" -H "X-Gov-Nonce: $nonce" -H "X-Gov-Digest: $digest" \
    -H "X-Gov-Signature: $signature" "$url$path"

header() { sed -n "s/^$1: //Ip" "$work/headers" | tr -d '\r'; }

# The request hash: Base64 SHA-512 of the two SHA-512 of header lines and body.
hash_of() {
    printf 'POST %s\nX-Gov-Key: %s\nX-Gov-Timestamp: %s\nX-Gov-Nonce: %s\nX-Gov-Digest: %s\nX-Gov-Signature: %s\n' \
        "$path" "$key" "$timestamp" "$nonce" "$digest" "$signature" | openssl dgst -sha512 -binary > "$work/both"
    openssl dgst -sha512 -binary "$1" >> "$work/both"
    openssl dgst -sha512 -binary "$work/both" | openssl base64 -A
}
: > "$work/nothing"
request_hash=$(hash_of "$work/body")
status=$(sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p' "$work/headers")
# A refusal that was decided before the body was read is bound to the header lines alone.
if [ "$status" != 200 ] && [ "$(header X-Gov-Request-Hash)" != "$request_hash" ]; then
    request_hash=$(hash_of "$work/nothing")
fi

# The answer: six lines, every one made here and none believed, except time and call id, which the signature covers.
answer_digest=$(openssl dgst -sha256 -r "$work/answer" | cut -d ' ' -f 1)
grant=$(printf '%s' "$path" | cut -d / -f 5)
printf '%s\n%s\n%s\n%s\n%s\n%s' "$request_hash" "$status" "$answer_digest" "$grant" \
    "$(header X-Gov-Answer-Time)" "$(header X-Gov-Call-Id)" > "$work/signed"
header X-Gov-Answer-Signature | openssl base64 -A -d > "$work/signed.sig"
pem=$(curl -sS "$url/openapi/v1/keys" | tr '{' '\n' | grep "\"$(header X-Gov-Answer-Key)\"" | sed 's/.*"public_key": *"\([^"]*\)".*/\1/')
printf '%b' "$pem" > "$work/platform.pem"
# shellcheck disable=SC2086
openssl pkeyutl -verify -pubin -inkey "$work/platform.pem" -in "$work/signed" -sigfile "$work/signed.sig" $options >&2
cat "$work/answer"
