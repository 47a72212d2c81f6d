#!/usr/bin/env python3
"""Our kernels beside Polars, DuckDB, DataFusion and arrow-rs: the same tasks on the same Arrow file, in one run.

    python3 benches/peers/compare.py                        # 10 million rows, one thread
    python3 benches/peers/compare.py --threads 2            # every engine with two threads
    python3 benches/peers/compare.py --rows 1e5             # where overhead shows
    python3 benches/peers/compare.py --batch 8192           # the table in batches of 8,192 rows
    python3 benches/peers/compare.py --only sort --runs 5

The engines are processes that hold the table in memory; they take turns, task by task and run by run, so that a noisy
minute hits all of them. Prints one JSON line for each task and engine (milliseconds, rows, checksum), and a table of
the minima at the end on standard error. Checksums must agree. The first run makes a Python environment with the peers
and the table under target/peers.
"""

import argparse
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "peers"
PEERS = ["polars==2.1.0", "duckdb==2.0.0", "datafusion==55.0.0", "pyarrow==26.0.1", "numpy"]
ENGINES = ["bodkin", "arrow", "polars", "duckdb", "datafusion"]


def environment():
    """The environment's Python; this script goes on in it, for the sake of pyarrow."""
    folder = WORK / "venv"
    python = folder / "bin" / "python"
    mark = folder / "installed"
    if not mark.exists() or mark.read_text() != repr(PEERS):
        print("making the peers' environment", file=sys.stderr)
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
        mark.write_text(repr(PEERS))
    if Path(sys.prefix) != folder:
        os.execv(python, [str(python), str(Path(__file__).resolve()), *sys.argv[1:]])
    return python


def write(path, table, batch):
    import pyarrow as pa

    partial = path.with_suffix(".partial")
    with pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=batch)
    partial.rename(path)


def tables(rows, batch, flights):
    """The db-benchmark's table G1 with 100 groups, orders and row numbers of that length, and the flights."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    suffix = f"{rows}-{batch or 'whole'}"
    files = {name: WORK / f"{name}-{suffix}.arrow" for name in "ts"}
    if not all(path.exists() for path in files.values()):
        random, groups = np.random.default_rng(108), 100
        many = max(rows // groups, 1)
        text = lambda form, n: pa.array([form % i for i in range(1, n + 1)])
        pick = lambda values: values.take(pa.array(random.integers(0, len(values), rows)))
        number = lambda n: pa.array(random.integers(1, n + 1, rows).astype(np.int32))
        few, lots = text("id%03d", groups), text("id%010d", many)
        table = pa.table({
            "id1": pick(few), "id2": pick(few), "id3": pick(lots),
            "id4": number(groups), "id5": number(groups), "id6": number(many),
            "v1": number(5), "v2": number(15),
            "v3": np.round(random.uniform(0, 100, rows), 6),
        }).combine_chunks()
        write(files["t"], table, batch)
        grouped = np.repeat(random.permutation(many).astype(np.int32), -(-rows // many))[:rows]
        orders = pa.table({
            "sorted": np.sort(table["v3"].to_numpy()),
            "grouped": grouped,
            "random": random.permutation(rows).astype(np.uint32),
            "ascending": np.sort(random.integers(0, rows, rows)).astype(np.uint32),
        })
        write(files["s"], orders, batch)
    files["f"] = WORK / f"f-{Path(flights).stem}-{batch or 'whole'}.arrow"
    if not files["f"].exists():
        table = pq.read_table(flights)
        if "month" not in table.column_names:
            import pyarrow.compute as pc

            table = pa.table({"origin": table["origin"].cast(pa.string()), "dest": table["destination"].cast(pa.string()),
                              "month": pc.month(table["date"]).cast(pa.int8()), "dep_delay": table["delay"]})
        table = table.select(["origin", "dest", "month", "dep_delay"]).combine_chunks()
        write(files["f"], table, batch)
    return files


class Engine:
    def __init__(self, name, threads, files, python):
        self.name = name
        arguments = [str(threads), *(f"{table}={path}" for table, path in files.items())]
        if name in ("bodkin", "arrow"):
            command = [str(WORK.parent / "release" / "engine"), name, *arguments]
        else:
            command = [str(python), str(HERE / "engine.py"), name, *arguments]
        # One thread is one core: some engines keep threads beside those that they are told of.
        pinned = ["taskset", "-c", "1"] if threads == 1 and shutil.which("taskset") else []
        variables = dict(os.environ, POLARS_MAX_THREADS=str(threads), RAYON_NUM_THREADS=str(threads), PYTHONWARNINGS="ignore",
                         # As a server would set it: freed pages are kept for the next result, and are large ones.
                         _RJEM_MALLOC_CONF="oversize_threshold:0,dirty_decay_ms:60000,muzzy_decay_ms:-1,thp:always")
        self.process = subprocess.Popen(pinned + command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables)
        self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} stopped with {self.process.wait()}")
        return json.loads(line)

    def run(self, task):
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        return self.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, default=1e7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, help="rows of a batch; the whole table when absent")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="a regular expression over the tasks' names")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--flights", default=str(ROOT / "edge-server" / "sample" / "nycflights13.parquet"))
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    python = environment()
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "benches", "--features", "peers", "--bin", "engine"], check=True, cwd=ROOT)
    files = tables(int(options.rows), options.batch, options.flights)
    names = options.engines.split(",")
    engines = [Engine(name, options.threads, files, python) for name in names]
    tasks = [task for task in json.loads((HERE / "tasks.json").read_text()) if re.search(options.only, task["task"])]
    report = []
    for task in tasks:
        answers = {name: [] for name in names}
        for _ in range(options.runs):
            for engine in engines:
                answer = engine.run(task)
                if answer:
                    answers[engine.name].append(answer)
        line = {name: min(run["ms"] for run in runs) for name, runs in answers.items() if runs}
        peers = [time for name, time in line.items() if name != "bodkin"]
        checks = {}
        for name, runs in answers.items():
            if not runs:
                continue
            times = [run["ms"] for run in runs]
            checks[name] = runs[0]["checksum"]
            ratio = {"best_peer_by_ours": round(min(peers) / line[name], 2)} if name == "bodkin" and peers else {}
            print(json.dumps({
                "task": task["task"], "engine": name, "threads": options.threads, "rows_in": int(options.rows),
                "batch": options.batch, "ms_min": round(min(times), 3), "ms_median": round(statistics.median(times), 3),
                "rows_out": runs[0]["rows"], "checksum": runs[0]["checksum"], **ratio,
            }), flush=True)
        values = list(checks.values())
        same = all(math.isclose(value, values[0], rel_tol=1e-6, abs_tol=1e-6) for value in values)
        report.append((task["task"], line, same, checks))
    table(report, names)


def table(report, names):
    """Milliseconds of each engine, and how many times ours the best peer took."""
    out = lambda text: print(text, file=sys.stderr)
    out(f"| task | {' | '.join(names)} | best peer ÷ ours |")
    out("|---|" + "---|" * (len(names) + 1))
    ratios = {}
    for task, line, same, checks in report:
        cells = [f"{line[name]:.3g}" if name in line and line[name] < 100 else f"{line[name]:.0f}" if name in line else "–"
                 for name in names]
        peers = [time for name, time in line.items() if name != "bodkin"]
        ratio = min(peers) / line["bodkin"] if peers and "bodkin" in line else None
        if ratio:
            group = task.split()[0].rstrip("0123456789:")
            ratios.setdefault(group, []).append(ratio)
        out(f"| {task} | {' | '.join(cells)} | {f'{ratio:.2f}' if ratio else '–'} |")
        if not same:
            out(f"  checksums differ: {checks}")
    for group, values in ratios.items():
        out(f"{group}: geometric mean {math.exp(sum(map(math.log, values)) / len(values)):.2f}, least {min(values):.2f}")


main()
