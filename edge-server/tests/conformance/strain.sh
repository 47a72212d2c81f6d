#!/bin/sh
# Slow clients by slowhttptest, load by h2load (TLS and HTTP/2) and wrk.
#
#   PROGRAM=target/release/edge-server edge-server/tests/conformance/strain.sh OUT
#
# needs slowhttptest, h2load, wrk and openssl. The server must be there for others in every second that 500 clients send their
# head (-H) or body (-B) drop by drop, or read the answer so (-X): slowhttptest asks it each second and writes that down.
set -eu
out=${1:?where the reports go}
program=${PROGRAM:-target/release/edge-server}
port=${PORT:-9007} secure=${SECURE_PORT:-9008} seconds=${SECONDS_EACH:-70}
mkdir -p "$out"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$out/key.pem" -out "$out/cert.pem" 2> /dev/null
"$program" --addr "127.0.0.1:$port" --log-level warn > "$out/plain.log" 2>&1 &
plain=$!
"$program" --addr "127.0.0.1:$secure" --tls-cert "$out/cert.pem" --tls-key "$out/key.pem" --log-level warn > "$out/tls.log" 2>&1 &
tls=$!
trap 'kill $plain $tls' EXIT
until curl -sf "http://127.0.0.1:$port/ready" > /dev/null && curl -skf "https://127.0.0.1:$secure/ready" > /dev/null; do sleep 0.2; done

url=http://127.0.0.1:$port
page="/v1/tables/flights/query?filter%5Bdep_delay%5Dgte=60&offset=5000&limit=100"
echo "h2load, TLS and HTTP/2, 20 connections of 10 streams:"
h2load -n 20000 -c 20 -m 10 "https://127.0.0.1:$secure/health" | grep -E "^(finished|requests|status codes)"
h2load -n 4000 -c 20 -m 10 "https://127.0.0.1:$secure$page" | grep -E "^(finished|requests|status codes)"
h2load -n 40 -c 10 -m 4 "https://127.0.0.1:$secure/v1/tables/flights/data" | grep -E "^(finished|requests|status codes)"
echo "wrk, 100 connections:"
wrk -t 2 -c 100 -d 10 "$url/health" | grep -E "requests in|Requests/sec|Non-2xx|Socket" || true
wrk -t 2 -c 100 -d 10 "$url$page" | grep -E "requests in|Requests/sec|Non-2xx|Socket" || true

slow() {
    name=$1
    shift
    slowhttptest "$@" -c 500 -r 200 -l "$seconds" -p 3 -g -o "$out/$name" > "$out/$name.txt" 2>&1 || true
    # Seconds, closed, pending, connected, and whether the service was there.
    awk -F, -v name="$name" 'NR > 1 { rows++; if ($5 + 0 == 0) away++; if ($4 > most) most = $4 }
        END { printf "%s: %d seconds, up to %d connections at once, away in %d\n", name, rows, most, away; exit !(rows > 0 && away == 0) }' \
        "$out/$name.csv" || failed="${failed:-} $name"
}
slow heads -H -i 10 -t GET -u "$url/health" -x 24
slow bodies -B -i 10 -t POST -u "$url/v1/tables/flights/query" -s 8192 -x 10
slow reading -X -w 512 -y 1024 -n 5 -z 32 -k 3 -u "$url/v1/tables/flights/data"
[ -z "${failed:-}" ] || { echo "not there all the time:$failed"; exit 1; }
