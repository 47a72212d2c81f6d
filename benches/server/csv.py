"""A large CSV: `python3 csv.py EDGE_SERVER FILE.csv [--peers]`. One line of JSON for each figure.

Loads the file with the server (seconds until it answers, peak memory), then asks for pages of 100 rows at random offsets,
with and without a filter, alone and from twenty threads. With --peers, pandas, Polars and DuckDB read the same file, each in
a process of its own; Polars and DuckDB also write it in a form of their own, as the server does.
"""

import argparse
import json
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

PEERS = {
    "pandas": "import pandas; pandas.read_csv(PATH)",
    "polars": "import polars; polars.read_csv(PATH)",
    "polars, to an Arrow file": "import polars; polars.scan_csv(PATH).sink_ipc(OUT)",
    "duckdb, to its own file": "import duckdb; duckdb.connect(OUT).execute(f\"create table t as from read_csv('{PATH}')\")",
}


def tell(**figures):
    print(json.dumps(figures), flush=True)


def peak(process):
    text = Path(f"/proc/{process}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def load(program, path, cache):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    begin = time.time()
    command = [program, "--addr", f"127.0.0.1:{port}", "--cache", cache, f"t={path}"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={"RUST_LOG": "warn"})
    url = f"http://127.0.0.1:{port}"
    while True:
        try:
            urllib.request.urlopen(f"{url}/ready").read()
            break
        except OSError:
            if server.poll() is not None:
                sys.exit(server.stderr.read().decode())
            time.sleep(0.05)
    return server, url, time.time() - begin


def pages(url, rows, filters, clients, seconds=5):
    """Milliseconds of pages at random offsets, asked by `wrk`, whose own work is small beside the server's."""
    names = ", ".join(f'{{"{name}", {max(1, int(rows * kept) - 100)}}}' for name, kept in filters)
    script = f"""
        local filters = {{{names}}}
        math.randomseed({random.randrange(1 << 30)})
        request = function()
            local filter = filters[math.random(#filters)]
            return wrk.format("GET", "/v1/tables/t/query?" .. filter[1] .. "offset=" .. math.random(filter[2]) .. "&limit=100")
        end
    """
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as lua:
        lua.write(script)
        lua.flush()
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "60s", "--latency", "-s", lua.name, url]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    units = {"us": 1e-3, "ms": 1.0, "s": 1e3}
    latency = {share: float(value) * units[unit] for share, value, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)", text)}
    errors = re.search(r"(Non-2xx.*|Socket errors.*)", text)
    worst = re.search(r"Latency\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)", text)
    return {"p50_ms": latency["50"], "p99_ms": latency["99"], "max_ms": float(worst[1]) * units[worst[2]],
            "per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), "errors": errors and errors[0]}


def once(url, rows, filters, count):
    """Milliseconds of the first page of each filter, of which nothing is known yet, at random offsets."""
    times = []
    for name, kept in filters[:count]:
        offset = random.randrange(max(1, int(rows * kept) - 100))
        begin = time.perf_counter()
        with urllib.request.urlopen(f"{url}/v1/tables/t/query?{name}offset={offset}&limit=100") as answer:
            answer.read()
        times.append((time.perf_counter() - begin) * 1e3)
    return {"median_ms": statistics.median(times), "max_ms": max(times)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("edge_server")
    parser.add_argument("file")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--runs", type=int, default=2)
    options = parser.parse_args()
    size = Path(options.file).stat().st_size
    with tempfile.TemporaryDirectory(dir=Path(options.file).parent) as folder:
        for turn in range(options.runs):
            server, url, seconds = load(options.edge_server, options.file, f"{folder}/cache{turn}")
            tell(what="load", who="bodkin", seconds=seconds, mb_per_second=size / seconds / 1e6, peak_mb=peak(server.pid))
            if turn + 1 < options.runs:
                server.terminate()
                server.wait()
                subprocess.run(["rm", "-rf", f"{folder}/cache{turn}"], check=True)
                for peer, code in PEERS.items() if options.peers else ():
                    measure(peer, code, options.file, f"{folder}/out", size)
        rows = json.load(urllib.request.urlopen(f"{url}/v1/tables/t"))["rows"]
        every = [("", 1.0)]
        numbers = [(f"filter[v3]gt={90 + share / 10}&", (100 - (90 + share / 10)) / 100 * 0.99) for share in range(0, 90, 9)]
        texts = [(f"filter[id1]={quote(f'id{number:03}')}&", 0.0099) for number in range(1, 11)]
        for name, filters in (("a number's filters", numbers), ("a text's filters", texts)):
            tell(what="first page of a filter", filters=name, **once(url, rows, filters, 10))
        for name, filters in (("none", every), ("ten of a number", numbers), ("ten of a text", texts)):
            for clients in (1, 20):
                tell(what="pages", filters=name, clients=clients, **pages(url, rows, filters, clients))
        server.terminate()
        server.wait()


def measure(peer, code, path, out, size):
    code = f"PATH, OUT = {path!r}, {out!r}\n" + code
    begin = time.time()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    seconds = time.time() - begin
    subprocess.run(["rm", "-f", out], check=True)
    if done.returncode:
        tell(what="load", who=peer, failed=done.stderr[-200:] or done.returncode)
        return
    tell(what="load", who=peer, seconds=seconds, mb_per_second=size / seconds / 1e6)


if __name__ == "__main__":
    main()
