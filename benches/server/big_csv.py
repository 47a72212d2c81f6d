"""A CSV of about 5 GB: the G1 table of db-benchmark, ten million rows of new random numbers at a time, strings unquoted
as there. `python3 big_csv.py OUT.csv [GIGABYTES]`; needs numpy and pyarrow."""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv

ROWS, GROUPS = 10_000_000, 100


def part(random, rows):
    def ids(pattern, count):
        names = pa.array([pattern % number for number in range(1, count + 1)])
        return names.take(pa.array(random.integers(0, count, rows)))

    return pa.table({
        "id1": ids("id%03d", GROUPS),
        "id2": ids("id%03d", GROUPS),
        "id3": ids("id%010d", ROWS // GROUPS),
        "id4": random.integers(1, GROUPS + 1, rows),
        "id5": random.integers(1, GROUPS + 1, rows),
        "id6": random.integers(1, ROWS // GROUPS + 1, rows),
        "v1": random.integers(1, 6, rows),
        "v2": random.integers(1, 16, rows),
        "v3": np.round(random.uniform(0, 100, rows), 6),
    })


def main():
    path, wanted = sys.argv[1], float(sys.argv[2]) * 1e9 if len(sys.argv) > 2 else 5e9
    random = np.random.default_rng(108)
    with open(path, "wb") as out:
        first, rows = True, 0
        while out.tell() < wanted:
            count = ROWS
            if rows:
                count = max(1, min(ROWS, int((wanted - out.tell()) / (out.tell() / rows))))
            options = csv.WriteOptions(include_header=first, quoting_style="none")
            csv.write_csv(part(random, count), out, options)
            first, rows = False, rows + count
            print(f"{rows:,} rows, {out.tell():,} bytes", file=sys.stderr)


main()
