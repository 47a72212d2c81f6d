"""One peer of the comparison: `engine.py polars|duckdb|datafusion THREADS name=FILE...`.

Loads the files into memory in the peer's own form, then answers each line of standard input, a task as in tasks.json,
with one line, as `engine.rs` does: {"ms", "rows", "checksum"}, or null where the peer has no such operation. What is
timed ends with the peer's own result in memory: a frame, or Arrow batches.
"""

import json
import sys
import time

import pyarrow as pa
import pyarrow.compute as pc


def read(path):
    with pa.memory_map(path) as source:
        return pa.ipc.open_file(source).read_all()


class Polars:
    def __init__(self, threads, files):
        import polars

        self.pl = polars
        self.tables = {name: polars.read_ipc(path) for name, path in files.items()}
        self.indices = {}

    def prepare(self, task):
        pl = self.pl
        table = self.tables[task.get("table", "t")]
        if task["kind"] == "take":
            rows = self.tables["s"][task["indices"]]
            return lambda: table.select(pl.all().gather(rows))
        plan = task["plan"]
        if task["kind"] == "order":
            keys = [key["column"] for key in plan["sort"]]
            if len(keys) == 1:
                return lambda: table[keys[0]].arg_sort()
            return lambda: table.select(pl.arg_sort_by(keys)).to_series()
        if "filter" in plan:
            predicate = self.predicate(plan["filter"])
            return lambda: table.filter(predicate)
        if "limit" in plan:
            key = plan["sort"][0]["column"]
            return lambda: table.bottom_k(plan["limit"], by=key)
        aggregates = [self.aggregate(a) for a in plan["aggregates"]]
        return lambda: table.group_by(plan["group_by"]).agg(aggregates)

    def predicate(self, p):
        pl = self.pl
        (kind, body), = p.items()
        if kind == "and":
            parts = [self.predicate(part) for part in body]
            return parts[0] & parts[1]
        column = pl.col(body["column"])
        if kind == "text":
            return column.str.contains(body["value"], literal=True)
        return column > body["value"] if body["op"] == ">" else column == body["value"]

    def aggregate(self, a):
        pl, function = self.pl, a["function"]
        if function == "count":
            return pl.len().alias("count")
        column = pl.col(a["column"])
        name = f"{function}({a['column']})"
        if isinstance(function, dict):
            return column.top_k(function["top"]).alias(name)
        if function == "correlation":
            return pl.corr(a["column"], a["other"]).alias(name)
        if function == "sum":
            # In 64 bits, as everybody else.
            column = column.cast(pl.Int64) if self.tables_type(a["column"]) == pl.Int32 else column
            return column.sum().alias(name)
        return {"mean": column.mean, "min": column.min, "max": column.max, "median": column.median,
                "stddev": column.std}[function]().alias(name)

    def tables_type(self, column):
        return self.tables["t"].schema.get(column)

    def arrow(self, result):
        if isinstance(result, self.pl.Series):
            return result.to_arrow()
        return result.to_arrow()


class DuckDB:
    def __init__(self, threads, files):
        import duckdb

        self.con = duckdb.connect(config={"threads": threads, "preserve_insertion_order": "true"})
        for name, path in files.items():
            source = read(path)
            self.con.register("source", source)
            self.con.execute(f"CREATE TABLE {name} AS SELECT * FROM source")
            self.con.unregister("source")

    def prepare(self, task):
        sql = task.get("sql")
        if isinstance(sql, dict):
            sql = sql.get("duckdb")
        return sql and (lambda: self.con.execute(sql).to_arrow_table())

    def arrow(self, result):
        return result


class DataFusion:
    def __init__(self, threads, files):
        from datafusion import SessionConfig, SessionContext

        self.context = SessionContext(SessionConfig().with_target_partitions(threads))
        for name, path in files.items():
            source = read(path)
            batches = source.to_batches()
            if len(batches) == 1:
                batches = source.to_batches(max_chunksize=1 << 16)
            share = -(-len(batches) // threads)
            parts = [batches[i:i + share] for i in range(0, len(batches), share)]
            self.context.register_record_batches(name, parts)

    def prepare(self, task):
        sql = task.get("sql")
        if isinstance(sql, dict):
            sql = sql.get("datafusion")
        if not sql or task["kind"] == "order":
            return None
        if "contains(" in sql:
            sql = "SELECT * FROM t WHERE id3 LIKE '%42%'"
        return lambda: self.context.sql(sql).collect()

    def arrow(self, result):
        return pa.Table.from_batches(result)


def numbers(column, weighted):
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks)
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return numbers(column.flatten(), weighted)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        if not weighted:
            return 0.0
        column = pc.utf8_slice_codeunits(column.cast(pa.large_string()), 2)
    if pa.types.is_boolean(kind) or pa.types.is_temporal(kind):
        return 0.0
    values = pc.fill_null(column.cast(pa.float64(), safe=False), 0.0).to_numpy()
    import numpy

    values = numpy.nan_to_num(values)
    if weighted:
        values = values * (numpy.arange(len(values)) % 97 + 1)
    return float(values.sum())


def checksum(task, source, result):
    if task["kind"] == "order":
        order = result.column(0) if isinstance(result, pa.Table) else result
        rows = len(order)
        places = order.take(pa.array([place * (rows - 1) // 99 for place in range(100)]))
        key = source.column(task["plan"]["sort"][0]["column"])
        return rows, numbers(key.take(places), True)
    return result.num_rows, sum(numbers(column, task["kind"] == "take") for column in result.columns)


def main():
    engine, threads, *files = sys.argv[1:]
    files = dict(file.split("=", 1) for file in files)
    peer = {"polars": Polars, "duckdb": DuckDB, "datafusion": DataFusion}[engine](int(threads), files)
    sources = {name: read(path) for name, path in files.items()}
    print('"ready"', flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        run = peer.prepare(task)
        answer = None
        if run:
            begin = time.perf_counter()
            result = run()
            elapsed = time.perf_counter() - begin
            rows, check = checksum(task, sources[task.get("table", "t")], peer.arrow(result))
            answer = {"ms": elapsed * 1e3, "rows": rows, "checksum": check}
        print(json.dumps(answer), flush=True)


main()
