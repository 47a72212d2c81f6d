//! Queries by URL, in every representation and encoding, with entity tags; and sources of every kind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::io::{Read, Write};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, RecordBatch};
use common::Served;
use edge_server::source::{self, Options, Table};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::json;
use std::sync::Arc;

#[test]
fn a_url_asks_what_a_plan_asks() {
    let server = Served::sample();
    let url = "/v1/tables/flights/query?filter[origin]=JFK&filter[dep_delay]gte=60&group=month\
               &aggregate=count,mean(dep_delay):late&sort=-count,month&limit=3";
    let by_url = server.get(url);
    let plan = json!({
        "filter": {"and": [
            {"compare": {"column": "origin", "op": "=", "value": "JFK"}},
            {"compare": {"column": "dep_delay", "op": ">=", "value": 60}},
        ]},
        "group_by": ["month"],
        "aggregates": [{"function": "count"}, {"function": "mean", "column": "dep_delay", "as": "late"}],
        "sort": [{"column": "count", "descending": true}, {"column": "month"}],
        "limit": 3,
    });
    let by_plan = server.ask("POST", "/v1/tables/flights/query", "", plan.to_string().as_bytes());
    assert_eq!((by_url.status, by_url.batches()), (200, by_plan.batches()));
    assert_eq!(by_url.batches()[0].num_rows(), 3);
    let plan = wire::plan::from_json(plan.to_string().as_bytes()).unwrap();
    let bytes = wire::plan::to_bytes(&plan).unwrap();
    let head = "content-type: application/vnd.bodkin.plan\r\n";
    assert_eq!(server.ask("POST", "/v1/tables/flights/query", head, &bytes).batches(), by_url.batches());
    let explained = server.get(&url.replace("/query?", "/explain?"));
    assert_eq!(explained.header("content-type"), Some("text/plain; charset=utf-8"));
    let text = String::from_utf8(explained.body).unwrap();
    assert!(text.contains("filter") && text.contains("'JFK'") && text.contains("read     3 of 19 columns"), "{text}");
}

#[test]
fn mistakes_in_a_url_are_told() {
    let server = Served::sample();
    for (query, status, expected) in [
        ("filter[orign]=JFK", 400, "unknown column \\\"orign\\\""),
        ("filter[month]=May", 400, "cannot be compared with text"),
        ("filter[month]about=5", 400, "unknown operator"),
        ("limit=few", 400, "limit is not a number of rows"),
        ("page=2", 400, "unknown parameter"),
        ("format=xls", 400, "the formats are arrow"),
    ] {
        let answer = server.get(&format!("/v1/tables/flights/query?{query}"));
        let text = String::from_utf8(answer.body).unwrap();
        assert!(answer.status == status && text.contains(expected), "{query}: {} {text}", answer.status);
    }
    assert_eq!(server.ask("DELETE", "/v1/tables/flights/query", "", b"").header("allow"), Some("GET, HEAD, POST"));
}

#[test]
fn every_format_holds_the_same_rows() {
    let server = Served::sample();
    let url = "/v1/tables/flights/query?columns=origin,distance&sort=-distance,origin&limit=1000";
    let expected = server.get(url).batches();
    let rows = expected.iter().map(RecordBatch::num_rows).sum::<usize>();
    assert_eq!(rows, 1_000);
    let whole = arrow_select::concat::concat_batches(&expected[0].schema(), &expected).unwrap();
    let accept = |media: &str| server.ask("GET", url, &format!("accept: {media}\r\n"), b"");
    for codec in ["zstd", "lz4"] {
        let packed = accept(&format!("application/vnd.apache.arrow.stream;codecs={codec}"));
        assert_eq!(packed.batches(), expected, "{codec}");
        assert!(packed.body.len() < server.get(url).body.len());
    }
    let file = accept("application/vnd.apache.arrow.file").body;
    let reader = arrow_ipc::reader::FileReader::try_new(std::io::Cursor::new(file), None).unwrap();
    assert_eq!(reader.map(Result::unwrap).collect::<Vec<_>>(), expected);
    let parquet = accept("application/vnd.apache.parquet").body;
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(parquet)).unwrap().build().unwrap();
    let read: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    assert_eq!(arrow_select::concat::concat_batches(&read[0].schema(), &read).unwrap().columns(), whole.columns());
    let csv = server.get(&format!("{url}&format=csv"));
    assert_eq!(csv.header("content-disposition"), Some("attachment; filename=\"flights.csv\""));
    assert_eq!(String::from_utf8(csv.body).unwrap().lines().count(), 1_001);
}

#[test]
fn an_answer_that_is_known_is_not_sent_again() {
    let server = Served::sample();
    for url in ["/v1/tables/flights/data", "/v1/tables/flights/query?limit=5"] {
        let first = server.get(url);
        let tag = first.header("etag").unwrap().to_owned();
        assert_eq!(first.header("cache-control"), Some("no-cache"));
        let again = server.ask("GET", url, &format!("if-none-match: {tag}\r\n"), b"");
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(tag.as_str())));
        assert_eq!(server.ask("GET", url, "if-none-match: \"other\"\r\n", b"").status, 200);
        let other = server.ask("GET", url, "accept: application/vnd.apache.arrow.stream;codecs=lz4\r\n", b"");
        assert_ne!(other.header("etag"), Some(tag.as_str()));
    }
    let head = server.ask("HEAD", "/v1/tables/flights/query?limit=5", "", b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn answers_are_packed_for_clients_that_take_it() {
    let server =
        Served::with(vec![source::open_one(common::sample().to_str().unwrap(), &Options::default()).unwrap()], true);
    let url = "/v1/tables/nycflights13/query?columns=origin,month,day";
    let plain = server.get(url);
    assert_eq!(plain.header("content-encoding"), None);
    let zstd = server.ask("GET", url, "accept-encoding: gzip, zstd\r\n", b"");
    assert_eq!((zstd.header("content-encoding"), zstd.header("vary")), (Some("zstd"), Some("accept, accept-encoding")));
    assert!(zstd.body.len() * 2 < plain.body.len(), "{} {}", zstd.body.len(), plain.body.len());
    assert_eq!(zstd::stream::decode_all(zstd.body.as_slice()).unwrap(), plain.body);
    let csv = format!("{url}&format=csv");
    let gzip = server.ask("GET", &csv, "accept-encoding: zstd;q=0, gzip\r\n", b"");
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(gzip.body.as_slice()).read_to_end(&mut text).unwrap();
    assert_eq!(text, server.get(&csv).body);
}

fn rows(path: &str) -> (usize, i64) {
    let table = source::open_one(path, &Options::default()).unwrap();
    let mut sum = 0;
    for batch in table.source.scan(Some(&[0]), None).unwrap() {
        sum += batch.unwrap().column(0).as_primitive::<Int64Type>().iter().flatten().sum::<i64>();
    }
    (table.source.rows(), sum)
}

#[test]
fn files_of_every_kind_are_tables() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let csv = b"n,name\n1,one\n2,two\n3,\n";
    assert_eq!(rows(&write("a.csv", csv)), (3, 6));
    assert_eq!(rows(&write("a.tsv", b"n\tname\n4\tfour\n")), (1, 4));
    assert_eq!(rows(&write("a.ndjson", b"{\"n\": 5, \"name\": \"five\"}\n{\"n\": 6}\n")), (2, 11));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(csv).unwrap();
    let packed = write("b.csv.gz", &gzip.finish().unwrap());
    assert_eq!(rows(&packed), (3, 6));
    assert_eq!(source::open_one(&packed, &Options::default()).unwrap().name, "b");
    assert_eq!(rows(&write("c.ndjson.zst", &zstd::bulk::compress(b"{\"n\": 7}\n", 3).unwrap())), (1, 7));
    let error = |path: &str| source::open_one(path, &Options::default()).unwrap_err().to_string();
    assert!(error(&write("d.csv.gz", b"not packed")).contains("d.csv.gz"));
    assert!(error(&write("d.zst", b"")).contains("needs a second extension"));
    // The type is that of the first ten thousand rows; what does not fit it is told with its row and column.
    let told = error(&write("e.csv", ["n\n", &"1\n".repeat(10_000), "many\n"].concat().as_bytes()));
    assert!(told.contains("e.csv") && told.contains("many") && told.contains("row 10001: column \"n\""), "{told}");
}

#[test]
fn a_folder_is_one_table_or_many() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("2013-01.csv", "n,name\n1,one\n2,two\n");
    write("2013-02.csv", "n,name\n3,three\n");
    write("readme.txt", "no table");
    let path = folder.path().to_str().unwrap();
    assert_eq!(rows(&format!("all={path}")), (3, 6));
    let many = source::open_named(path, &Options::default()).unwrap();
    assert_eq!(many.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["2013-01", "2013-02"]);
    write("2013-03.csv", "n,title\n3,three\n");
    let error = source::open_one(&format!("all={path}"), &Options::default()).unwrap_err().to_string();
    assert!(error.contains("2013-03.csv") && error.contains("column \"title\""), "{error}");
    let empty = tempfile::tempdir().unwrap();
    let error = source::open_named(empty.path().to_str().unwrap(), &Options::default()).unwrap_err().to_string();
    assert!(error.contains("no file of a known format"), "{error}");
}

#[test]
fn columns_are_decoded_once_and_only_within_the_limit() {
    for memory in [0, 1 << 20, 1 << 30] {
        let source = source::open_with(&common::sample(), &Options { memory, ..Options::default() }).unwrap();
        let read = |columns: &[usize]| -> Vec<RecordBatch> {
            source.scan(Some(columns), None).unwrap().map(Result::unwrap).collect()
        };
        // A scan that is given up keeps nothing that would be in another's way.
        drop(source.scan(None, None).unwrap().next());
        let some = read(&[3, 5]);
        let more = read(&[2, 3, 5, 7]);
        assert_eq!(some.len(), more.len());
        for (a, b) in some.iter().zip(&more) {
            assert_eq!((a.column(0), a.column(1)), (b.column(1), b.column(2)));
            // What has been kept is the same memory.
            let shared = Arc::ptr_eq(a.column(0), b.column(1));
            assert!(shared || memory < 1 << 30, "{memory}");
            assert!(!shared || memory > 0, "{memory}");
        }
        let all: Vec<RecordBatch> = source.scan(None, None).unwrap().map(Result::unwrap).collect();
        assert_eq!(all.iter().map(RecordBatch::num_rows).sum::<usize>(), 336_776);
    }
}

#[test]
fn sql_is_answered_in_questdb_s_shape() {
    let server = Served::sample();
    let exec = |sql: &str| {
        let query: String = form_urlencoded::byte_serialize(sql.as_bytes()).collect();
        server.get(&format!("/exec?query={query}"))
    };
    let answer = exec(
        "SELECT origin, count(*) AS n, avg(dep_delay) late FROM flights WHERE month = 3 GROUP BY origin ORDER BY n DESC",
    );
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json; charset=utf-8")));
    let reply = answer.json();
    let columns: Vec<(&str, &str)> = reply["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| (column["name"].as_str().unwrap(), column["type"].as_str().unwrap()))
        .collect();
    assert_eq!((columns[0].0, columns[1], columns[2]), ("origin", ("n", "LONG"), ("late", "DOUBLE")));
    // Counted by arrow-rs from the file alone.
    let flights = common::flights();
    let cast =
        |name: &str, to: arrow_schema::DataType| arrow_cast::cast(flights.column_by_name(name).unwrap(), &to).unwrap();
    let (month, origin) = (cast("month", arrow_schema::DataType::Int64), cast("origin", arrow_schema::DataType::Utf8));
    let month = month.as_primitive::<Int64Type>();
    let mut counts = std::collections::BTreeMap::new();
    for row in (0..flights.num_rows()).filter(|&row| month.value(row) == 3) {
        *counts.entry(origin.as_string::<i32>().value(row).to_owned()).or_insert(0) += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let rows: Vec<(String, i64)> = reply["dataset"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row[0].as_str().unwrap().to_owned(), row[1].as_i64().unwrap()))
        .collect();
    assert_eq!(rows, counts);
    assert_eq!(reply["count"], 3);

    let wrong = exec("SELECT * FROM flights WHERE month ==== 3");
    assert_eq!(wrong.status, 400);
    assert!(wrong.json()["error"].is_string() && wrong.json()["position"].is_u64());
    let unknown = exec("SELECT nowhere FROM flights");
    assert_eq!(unknown.status, 400);
    assert!(unknown.json()["error"].as_str().unwrap().contains("nowhere"));
    assert_eq!(exec("SELECT * FROM nothing").status, 404);
    assert_eq!(exec("DROP TABLE flights").status, 400);
    assert_eq!(server.get("/exec").status, 400);
}

#[test]
fn pieces_that_cannot_hold_a_row_are_not_read() {
    // Ten row groups of a rising number, and a text and a float beside it.
    let rows = 300_000;
    let numbers: ArrayRef = Arc::new(arrow_array::Int64Array::from_iter_values(0..rows));
    let names: ArrayRef =
        Arc::new(arrow_array::StringArray::from_iter_values((0..rows).map(|row| format!("n{row:06}"))));
    let values: ArrayRef =
        Arc::new(arrow_array::Float64Array::from_iter_values((0..rows).map(|row| (row % 100) as f64)));
    let batch = RecordBatch::try_from_iter([("number", numbers), ("name", names), ("value", values)]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rising.parquet");
    let properties =
        parquet::file::properties::WriterProperties::builder().set_max_row_group_row_count(Some(30_000)).build();
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let server = Served::tables(vec![Table { name: "rising".to_owned(), source: source::open(&path).unwrap() }]);
    let explained =
        |query: &str| String::from_utf8(server.get(&format!("/v1/tables/rising/explain?{query}")).body).unwrap();
    let last = |query: &str| explained(query).trim_end().lines().last().unwrap().to_owned();
    assert_eq!(
        last("filter[number]gte=250000"),
        "pieces   2 of 10; 8 hold no row that passes, 0 are before the window and 0 behind it"
    );
    assert_eq!(
        last("filter[name]=n123456"),
        "pieces   1 of 10; 9 hold no row that passes, 0 are before the window and 0 behind it"
    );
    assert_eq!(
        last("offset=100000&limit=5"),
        "pieces   1 of 10; 0 hold no row that passes, 3 are before the window and 6 behind it"
    );
    // A writer leaves NaN out of a float's bounds, so that they tell nothing.
    assert_eq!(
        last("filter[value]gt=1000"),
        "pieces   10 of 10; 0 hold no row that passes, 0 are before the window and 0 behind it"
    );
    // Found out by the first question.
    for filter in ["filter[value]gt=1000", "filter[name]contains=n1234&filter[value]eq=77"] {
        let first = server.get(&format!("/v1/tables/rising/query?{filter}&format=csv"));
        assert!(!last(filter).starts_with("pieces   10 "), "{}", last(filter));
        assert_eq!(server.get(&format!("/v1/tables/rising/query?{filter}&format=csv")).body, first.body);
    }
    // With and without knowledge the same rows come.
    for (filter, offset, expected) in [
        ("filter[number]gte=250000", 0, 250_000),
        ("filter[number]gte=250000", 40_123, 290_123),
        ("filter[value]eq=50", 2_999, 299_950),
        ("filter[value]eq=50", 2_500, 250_050),
        ("", 123_456, 123_456),
    ] {
        for _ in 0..3 {
            let answer = server.get(&format!("/v1/tables/rising/query?{filter}&offset={offset}&limit=1"));
            let first = answer.batches()[0].column(0).as_primitive::<Int64Type>().value(0);
            assert_eq!(first, expected, "{filter} {offset}");
        }
    }
}

#[test]
fn columns_of_the_same_name_are_told_apart_in_any_file() {
    use arrow_array::{Float64Array, Int64Array, StringArray};
    let columns: [ArrayRef; 3] = [
        Arc::new(Int64Array::from(vec![1, 2, 3])),
        Arc::new(StringArray::from(vec!["z", "x", "y"])),
        Arc::new(Float64Array::from(vec![0.5, 2.5, 1.5])),
    ];
    let batch = RecordBatch::try_from_iter(columns.iter().map(|column| ("a", column.clone()))).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, format) in [
        ("t.arrow", edge_server::output::Format::ArrowFile),
        ("t.arrows", edge_server::output::Format::ArrowStream),
        ("t.parquet", edge_server::output::Format::Parquet),
    ] {
        let path = folder.path().join(name);
        let file = std::fs::File::create(&path).unwrap();
        let mut writer = edge_server::output::Writer::try_new(format, file, &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        for memory in [0, 1 << 30] {
            let source = source::open_with(&path, &Options { memory, ..Options::default() }).unwrap();
            let whole = source.scan(None, None).unwrap().next().unwrap().unwrap();
            assert_eq!((&whole.schema(), whole.columns()), (source.schema(), &columns[..]), "{name}");
            let server = Served::tables(vec![Table { name: "t".to_owned(), source }]);
            let rows = |query: &str| {
                let answer = server.get(&format!("/v1/tables/t/query?{query}&format=ndjson"));
                String::from_utf8(answer.body).unwrap()
            };
            assert_eq!(rows("filter[a_2]=y"), "{\"a\":3,\"a_2\":\"y\",\"a_3\":1.5}\n", "{name}");
            assert_eq!(rows("sort=-a_3&limit=1&columns=a,a_3"), "{\"a\":2,\"a_3\":2.5}\n", "{name}");
            assert_eq!(rows("aggregate=sum(a_3)"), "{\"sum(a_3)\":4.5}\n", "{name}");
        }
    }
}
