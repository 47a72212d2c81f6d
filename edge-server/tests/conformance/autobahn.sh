#!/bin/sh
# The Autobahn suite (fuzzing client) against the server's own sockets, by the example that echoes.
#
#   edge-server/tests/conformance/autobahn.sh OUT [CASES]
#
# needs `wstest` (the autobahntestsuite of PyPI, which runs under Python 2.7); WSTEST may say how it is started. OUT gets the
# report. CASES is a pattern such as "1.*"; by default all but 12 and 13, which are compression that is not offered (they
# are run too when CASES says so, and come out as not implemented).
set -eu
out=${1:?where the report goes}
cases=${2:-}
port=${PORT:-9001}
cd "$(dirname "$0")/../../.."
cargo build -q -p edge-server --example echo
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$out"
"$target/debug/examples/echo" "127.0.0.1:$port" &
server=$!
trap 'kill $server' EXIT
until grep -q . "/proc/$server/cmdline" && curl -sf "http://127.0.0.1:$port/health" > /dev/null; do sleep 0.2; done
if [ -n "$cases" ]; then listed="\"$cases\"" left=""; else listed='"*"' left='"12.*", "13.*"'; fi
printf '{"outdir": "%s", "servers": [{"agent": "bodkin", "url": "ws://127.0.0.1:%s/echo"}], "cases": [%s], "exclude-cases": [%s], "exclude-agent-cases": {}}\n' \
    "$out" "$port" "$listed" "$left" > "$out/suite.json"
${WSTEST:-wstest} -m fuzzingclient -s "$out/suite.json" > "$out/log.txt" 2>&1 || { tail "$out/log.txt"; exit 1; }
python3 - "$out/index.json" <<'PY'
import collections, json, sys
cases = json.load(open(sys.argv[1]))["bodkin"]
for what in ("behavior", "behaviorClose"):
    told = collections.Counter(case[what] for case in cases.values())
    print(len(cases), what, dict(told))
bad = {name: (case["behavior"], case["behaviorClose"]) for name, case in cases.items()
       if case["behavior"] in ("FAILED", "WRONG CODE") or case["behaviorClose"] == "FAILED"}
print("failed:", bad or "none")
sys.exit(bool(bad))
PY
