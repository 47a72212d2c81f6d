"""The server under load: `python3 load.py EDGE_SERVER [--nginx PATH] [--roapi PATH] [--followers PATH] [--seconds 5]`.

Prints one line of JSON for each figure. Needs `wrk`. Servers of a comparison run at the same time and take turns, each three
times; the best of each is told. Client and servers share the machine.
"""

import argparse
import json
import os
import re
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "edge-server/sample/nycflights13.parquet"

WRK_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
BYTE_UNITS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


def tell(**figures):
    print(json.dumps(figures), flush=True)


def wait(url, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.read(64)
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{url} does not answer")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wrk(url, clients, seconds, headers=()):
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency"]
    for header in headers:
        command += ["-H", header]
    text = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    latency = lambda share: next(
        float(value) * WRK_UNITS[unit] for value, unit in re.findall(rf"{share}%\s+([\d.]+)(us|ms|s|m)", text)
    )
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    moved, unit = re.search(r"Transfer/sec:\s+([\d.]+)(GB|MB|KB|B)", text).groups()
    errors = re.search(r"(Non-2xx.*|Socket errors.*)", text)
    return {"per_second": rate, "p50_ms": latency(50), "p99_ms": latency(99),
            "gb_per_second": float(moved) * BYTE_UNITS[unit] / 1e9, "errors": errors and errors[0]}


def memory(process):
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def best(runs):
    return max(runs, key=lambda run: run["per_second"])


class Servers:
    def __enter__(self):
        self.started = []
        self.folder = tempfile.TemporaryDirectory()
        return self

    def __exit__(self, *_):
        for process in self.started:
            process.terminate()
        for process in self.started:
            process.wait()
        self.folder.cleanup()

    def start(self, *command, **options):
        log = open(Path(self.folder.name) / f"{len(self.started)}.log", "w")
        process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, **options)
        self.started.append(process)
        return process


def pages(edge, roapi, seconds):
    """Pages and questions of the sample, one server after the other in each turn."""
    questions = {
        "page of 100 rows": ("?offset=200000&limit=100", "?offset=200000&limit=100"),
        "filter, page of 100": ("?filter[dep_delay]gte=60&offset=5000&limit=100", "?filter[dep_delay]gte=60&offset=5000&limit=100"),
        "sort, first 100": ("?sort=-dep_delay&limit=100", "?sort=-dep_delay&limit=100"),
        "group by two": ("?group=origin,month&aggregate=count,mean(dep_delay)", None),
    }
    for name, (ours, theirs) in questions.items():
        for clients in (1, 20):
            turns = {"bodkin": [], "roapi": []}
            for _ in range(3):
                # Both answer with JSON, which is what ROAPI is asked for by default.
                accept = ["accept: application/json"]
                turns["bodkin"].append(wrk(f"{edge}/v1/tables/flights/query{ours}", clients, seconds, accept))
                if roapi and theirs:
                    turns["roapi"].append(wrk(f"{roapi}/api/tables/flights{theirs}", clients, seconds))
            arrow = best([wrk(f"{edge}/v1/tables/flights/query{ours}", clients, seconds) for _ in range(2)])
            tell(figure=name, clients=clients, server="bodkin, arrow", **arrow)
            for server, runs in turns.items():
                if runs:
                    tell(figure=name, clients=clients, server=f"{server}, json", **best(runs))


def whole(edge, nginx, seconds):
    """The whole table beside a file server that sends the same bytes."""
    for clients in (1, 8):
        turns = {"bodkin": [], "nginx": []}
        for _ in range(3):
            turns["bodkin"].append(wrk(f"{edge}/v1/tables/flights/data", clients, seconds))
            if nginx:
                turns["nginx"].append(wrk(f"{nginx}/flights.arrows", clients, seconds))
        for server, runs in turns.items():
            if runs:
                tell(figure="whole table", clients=clients, server=server, **best(runs))


def idle(edge, process, count):
    """Connections that say nothing after one request, and pages meanwhile."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    host, port = edge.removeprefix("http://").split(":")
    before, held = memory(process), []
    for _ in range(count):
        connection = socket.create_connection((host, int(port)), timeout=20)
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
        if not connection.recv(512).startswith(b"HTTP/1.1 200"):
            sys.exit("a connection was refused")
        held.append(connection)
    after = memory(process)
    run = wrk(f"{edge}/v1/tables/flights/query?offset=200000&limit=100", 20, 3)
    tell(figure="idle connections", count=len(held), kb_each=(after - before) / count, pages_meanwhile=run)
    for connection in held:
        connection.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("edge_server")
    parser.add_argument("--nginx")
    parser.add_argument("--roapi")
    parser.add_argument("--followers")
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    with Servers() as servers:
        folder = Path(servers.folder.name)
        environment = {**os.environ, "RUST_LOG": "warn"}
        port = free_port()
        edge = f"http://127.0.0.1:{port}"
        # Thousands of connections of one address are what is measured here.
        server = servers.start(options.edge_server, "--addr", f"127.0.0.1:{port}", "--live", folder / "live",
                               "--table", f"flights={SAMPLE}", *EXTRA, env=environment)
        wait(f"{edge}/health")
        stream = folder / "flights.arrows"
        with urllib.request.urlopen(f"{edge}/v1/tables/flights/data") as answer:
            stream.write_bytes(answer.read())
        nginx = roapi = None
        if options.nginx:
            port = free_port()
            (folder / "nginx.conf").write_text(
                f"worker_processes 2; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;"
                "events { worker_connections 512; }"
                f"http {{ access_log off; sendfile on; tcp_nopush on; server {{ listen 127.0.0.1:{port}; root {folder}; }} }}")
            os.chmod(folder, 0o755)
            servers.start(options.nginx, "-c", folder / "nginx.conf", "-e", folder / "error.log")
            nginx = f"http://127.0.0.1:{port}"
            wait(f"{nginx}/flights.arrows")
        if options.roapi:
            port = free_port()
            servers.start(options.roapi, "-a", f"127.0.0.1:{port}", "-p", f"127.0.0.1:{free_port()}",
                          "--addr-flight-sql", f"127.0.0.1:{free_port()}", "-t", f"flights={SAMPLE}", env=environment)
            roapi = f"http://127.0.0.1:{port}"
            wait(f"{roapi}/api/tables/flights?limit=1")
        pages(edge, roapi, options.seconds)
        whole(edge, nginx, options.seconds)
        if options.followers:
            for count, rate in ((100, 100), (1000, 10), (1000, 100)):
                line = subprocess.run([options.followers, edge.removeprefix("http://"), str(count), str(rate), "10", str(server.pid)],
                                      check=True, capture_output=True, text=True).stdout
                tell(figure="followers", **json.loads(line))
        idle(edge, server.pid, 10_000)


EXTRA = []

if __name__ == "__main__":
    main()
