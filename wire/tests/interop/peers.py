"""Reads Arrow streams and files with a peer and writes what it read, for the test that compares.

    python peers.py pyarrow|polars|duckdb IN OUT     every file of IN, as a stream of the same name in OUT
    python peers.py compare IN OUT                   whether pyarrow reads the same from IN and OUT

A file that the peer does not read leaves its message in OUT/NAME.error.
"""

import sys
import traceback
from pathlib import Path


def read_pyarrow(path):
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        if ".file" in path.name or path.suffix == ".arrow_file":
            return pa.ipc.open_file(source).read_all()
        return pa.ipc.open_stream(source).read_all()


def write_pyarrow(table, path):
    import pyarrow as pa

    codec = {"lz4": "lz4", "zstd": "zstd"}.get(path.name.split(".")[-1])
    options = pa.ipc.IpcWriteOptions(compression=codec)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)


def through_polars(path, out):
    import polars as pl

    frame = pl.read_ipc(path) if ".file" in path.name else pl.read_ipc_stream(path)
    codec = path.name.split(".")[-1]
    frame.write_ipc_stream(out, compression="uncompressed" if codec == "none" else codec)


def through_duckdb(path, out):
    import duckdb

    # DuckDB reads Arrow from the memory of another reader; here pyarrow's.
    table = read_pyarrow(path)
    write_pyarrow(duckdb.from_arrow(table).to_arrow_table(), out)


def compare(ours, theirs):
    """Whether pyarrow sees one table in both; NaN is equal to NaN."""
    a, b = read_pyarrow(ours), read_pyarrow(theirs)
    b.validate()
    if a.schema != b.schema or not a.schema.equals(b.schema, check_metadata=True):
        raise ValueError(f"schemas differ: {a.schema} and {b.schema}")
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} rows")
    if a.equals(b):
        return
    for name, x, y in zip(a.column_names, a.columns, b.columns):
        if not x.equals(y) and repr(x.to_pylist()) != repr(y.to_pylist()):
            raise ValueError(f"column {name} differs")


def main():
    what, source, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    run = {
        "pyarrow": lambda path, to: write_pyarrow(read_pyarrow(path), to),
        "polars": through_polars,
        "duckdb": through_duckdb,
        "compare": lambda path, to: compare(path, to),
    }[what]
    for path in sorted(source.iterdir()):
        try:
            run(path, out / path.name)
        except BaseException as error:  # a Rust panic in a peer is no Exception
            if isinstance(error, KeyboardInterrupt):
                raise
            reason = "".join(traceback.format_exception_only(error)).strip()
            (out / f"{path.name}.error").write_text(reason or repr(error))


main()
