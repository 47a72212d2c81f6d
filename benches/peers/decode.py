#!/usr/bin/env python3
"""Decoding Arrow streams that lie in memory: ours, arrow-rs's and pyarrow's, taking turns.

    cargo build --release -p benches --features wire --bin wire
    python3 benches/peers/decode.py            # in an environment with pyarrow and numpy

pyarrow checks nothing unless it is asked to; so there are two figures for it: as it comes, and with
`validate(full=True)`, which is what ours and arrow-rs's do. One JSON line for each column.
"""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

ROWS = 4_000_000
ROOT = Path(__file__).resolve().parent.parent.parent
WIRE = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "wire"


def columns():
    random = np.random.default_rng(7)
    numbers = random.integers(0, 1 << 40, ROWS)
    words = np.char.add("id", random.integers(0, 100_000, ROWS).astype(str))
    other = np.char.add("Zürich ", random.integers(0, 1_000, ROWS).astype(str))
    yield "f64", pa.array(random.uniform(0, 100, ROWS))
    yield "i64 with nulls", pa.array(numbers, mask=numbers % 10 == 0)
    yield "ASCII text", pa.array(words)
    yield "other text", pa.array(other)
    yield "text views", pa.array(words).cast(pa.string_view())
    yield "codes", pa.array(words).dictionary_encode()


def least(times, run):
    for _ in range(times):
        begin = time.perf_counter()
        run()
        yield (time.perf_counter() - begin) * 1e3


def main():
    pa.set_cpu_count(1)
    for name, column in columns():
        for batch in (ROWS, 8_192):
            table = pa.table({name: column})
            with tempfile.NamedTemporaryFile(suffix=".stream") as file:
                with pa.ipc.new_stream(file, table.schema) as writer:
                    writer.write_table(table, max_chunksize=batch)
                file.flush()
                bytes_ = pa.py_buffer(Path(file.name).read_bytes())
                read = lambda: pa.ipc.open_stream(bytes_).read_all()
                check = lambda: read().validate(full=True)
                figures = {"bodkin_ms": [], "arrow_ms": [], "pyarrow_ms": [], "pyarrow_full_ms": []}
                for _ in range(3):
                    ours = json.loads(subprocess.run([WIRE, "time", file.name], capture_output=True, check=True).stdout)
                    figures["bodkin_ms"].append(ours["bodkin_ms"])
                    figures["arrow_ms"].append(ours["arrow_ms"])
                    figures["pyarrow_ms"] += least(3, read)
                    figures["pyarrow_full_ms"] += least(3, check)
                figures = {key: round(min(values), 3) for key, values in figures.items()}
                print(json.dumps({"column": name, "rows": ROWS, "batch": batch, "bytes": len(bytes_), **figures}), flush=True)


main()
