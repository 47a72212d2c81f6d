"""A large CSV: `python3 csv.py EDGE_SERVER FILE.csv [--peers]`. One line of JSON for each figure.

Loads the file with the server (seconds until it answers, peak memory), then asks for pages of 100 rows at random offsets,
with and without a filter, alone and from twenty threads. With --peers, pandas, Polars and DuckDB read the same file, each in
a process of its own; Polars and DuckDB also write it in a form of their own, as the server does.
"""

import argparse
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
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
            urllib.request.urlopen(f"{url}/health").read()
            break
        except OSError:
            if server.poll() is not None:
                sys.exit(server.stderr.read().decode())
            time.sleep(0.05)
    return server, url, time.time() - begin


def pages(url, rows, filters, threads, count):
    """Milliseconds of pages at random offsets."""
    times, lock = [], threading.Lock()

    def run(seed):
        numbers, own = random.Random(seed), []
        for _ in range(count):
            name, kept = numbers.choice(filters)
            offset = numbers.randrange(max(1, int(rows * kept) - 100))
            begin = time.perf_counter()
            with urllib.request.urlopen(f"{url}/v1/tables/t/query?{name}offset={offset}&limit=100") as answer:
                answer.read()
            own.append((time.perf_counter() - begin) * 1e3)
        with lock:
            times.extend(own)

    workers = [threading.Thread(target=run, args=(seed,)) for seed in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    times.sort()
    return {"p50_ms": statistics.median(times), "p99_ms": times[int(len(times) * 0.99)], "max_ms": times[-1]}


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
        every, one = ("", 1.0), (f"filter[v3]gt=99&", 0.0099)
        for name, filters in (("pages", [every]), ("pages of a filter", [one]), ("pages of twenty filters", [
                (f"filter[id1]={quote(f'id{number:03}')}&", 0.0099) for number in range(1, 21)])):
            for turn in ("first", "again"):
                tell(what=name, turn=turn, clients=1, **pages(url, rows, filters, 1, 40))
            tell(what=name, clients=20, **pages(url, rows, filters, 20, 20))
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
