//! One engine of the comparison with peers: ours, or arrow-rs, over Arrow files held in memory.
//!
//! `engine bodkin|arrow THREADS name=FILE...` loads the files and answers each line of standard input, a task as in
//! `peers/tasks.json`, with one line: `{"ms", "rows", "checksum"}`, or `null` where the engine has no such kernel.
//! The checksum is worked out after the clock has stopped. `peers/compare.py` drives it, and the other engines.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where it fails"
)]

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::time::Instant;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type};
use arrow_array::{
    Array, BooleanArray, Datum, Float64Array, Int32Array, RecordBatch, Scalar, StringArray, UInt32Array,
};
use arrow_ord::sort::SortColumn;
use kernels::Indices;
use kernels::query::{CompareOp, Plan, Predicate, Scalar as Literal};
use serde_json::{Value, json};

/// The peers bring an allocator that keeps freed pages; so do we, and arrow-rs with us.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What a task gave: rows of a table, or an order of the rows of one.
enum Output {
    Rows(RecordBatch),
    Order(Vec<u32>),
}

struct Tables {
    tables: HashMap<String, Vec<RecordBatch>>,
}

impl Tables {
    fn get(&self, name: &str) -> &[RecordBatch] {
        self.tables.get(name).map_or(&[], |batches| batches)
    }

    fn indices(&self, name: &str) -> Vec<u32> {
        let batches = self.get("s").iter();
        batches
            .flat_map(|batch| batch.column_by_name(name).unwrap().as_primitive::<UInt32Type>().values().to_vec())
            .collect()
    }
}

fn read(path: &str) -> Vec<RecordBatch> {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    arrow_ipc::reader::FileReader::try_new(file, None).unwrap().map(Result::unwrap).collect()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [engine, threads, files @ ..] = arguments.as_slice() else {
        println!("usage: engine bodkin|arrow THREADS name=FILE...");
        return;
    };
    let tables = files.iter().filter_map(|file| file.split_once('=')).map(|(name, path)| (name.into(), read(path)));
    let tables = Tables { tables: tables.collect() };
    let threads: usize = threads.parse().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let mut prepared: HashMap<String, Indices> = HashMap::new();
    println!("\"ready\"");
    for line in std::io::stdin().lock().lines() {
        let task: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let table = tables.get(task["table"].as_str().unwrap_or("t"));
        let indices = task["indices"].as_str().map(|name| {
            &*prepared.entry(name.into()).or_insert_with(|| {
                let rows = table.iter().map(RecordBatch::num_rows).sum();
                Indices::try_new(tables.indices(name), rows).unwrap()
            })
        });
        let (milliseconds, output) = match engine.as_str() {
            "bodkin" => pool.install(|| bodkin(&task, table, indices)),
            _ => arrow(&task, table, indices),
        };
        let answer = output.map_or(Value::Null, |output| {
            let (rows, checksum) = checksum(&task, table, &output);
            json!({"ms": milliseconds, "rows": rows, "checksum": checksum})
        });
        println!("{answer}");
        std::io::stdout().flush().unwrap();
    }
}

fn timed<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let begin = Instant::now();
    let output = run();
    (begin.elapsed().as_secs_f64() * 1e3, output)
}

fn bodkin(task: &Value, table: &[RecordBatch], indices: Option<&Indices>) -> (f64, Option<Output>) {
    if let Some(indices) = indices {
        let schema = table[0].schema();
        let (time, rows) = timed(|| kernels::take_batches(&schema, table, indices).unwrap());
        return (time, Some(Output::Rows(rows)));
    }
    let plan: Plan = match serde_json::from_value(task["plan"].clone()) {
        Ok(plan) => plan,
        Err(_) => return (0.0, None),
    };
    if task["kind"] == "order" {
        let (time, order) = timed(|| plan.bind(&table[0].schema()).unwrap().select(table).unwrap());
        return (time, Some(Output::Order(order.into_vec())));
    }
    let (time, rows) = timed(|| plan.bind(&table[0].schema()).unwrap().execute(table).unwrap());
    (time, Some(Output::Rows(rows)))
}

/// arrow-rs has kernels for whole arrays: batches are filtered one by one, and sorted or gathered only when there is
/// one of them.
fn arrow(task: &Value, table: &[RecordBatch], indices: Option<&Indices>) -> (f64, Option<Output>) {
    let (first, single) = (&table[0], table.len() == 1);
    if let Some(indices) = indices {
        if !single {
            return (0.0, None);
        }
        let indices = UInt32Array::from(indices.as_slice().to_vec());
        let (time, rows) = timed(|| arrow_select::take::take_record_batch(first, &indices).unwrap());
        return (time, Some(Output::Rows(rows)));
    }
    let plan: Plan = match serde_json::from_value(task["plan"].clone()) {
        Ok(plan) => plan,
        Err(_) => return (0.0, None),
    };
    let columns: Vec<SortColumn> = plan
        .sort
        .iter()
        .map(|key| SortColumn { values: first.column_by_name(&key.column).unwrap().clone(), options: None })
        .collect();
    match (task["kind"].as_str().unwrap(), &plan.filter) {
        ("rows", Some(filter)) => {
            let (time, rows) = timed(|| {
                let kept = table
                    .iter()
                    .map(|batch| arrow_select::filter::filter_record_batch(batch, &mask(filter, batch)).unwrap());
                let kept: Vec<RecordBatch> = kept.collect();
                match kept.as_slice() {
                    [one] => one.clone(),
                    many => arrow_select::concat::concat_batches(&first.schema(), many).unwrap(),
                }
            });
            (time, Some(Output::Rows(rows)))
        }
        ("rows", None) if single => {
            let (time, rows) = timed(|| {
                let order = arrow_ord::sort::sort_to_indices(&columns[0].values, None, plan.limit).unwrap();
                arrow_select::take::take_record_batch(first, &order).unwrap()
            });
            (time, Some(Output::Rows(rows)))
        }
        ("order", _) if single => {
            let (time, order) = timed(|| match columns.as_slice() {
                [one] => arrow_ord::sort::sort_to_indices(&one.values, None, None).unwrap(),
                many => arrow_ord::sort::lexsort_to_indices(many, None).unwrap(),
            });
            (time, Some(Output::Order(order.values().to_vec())))
        }
        _ => (0.0, None),
    }
}

fn mask(predicate: &Predicate, batch: &RecordBatch) -> BooleanArray {
    match predicate {
        Predicate::Compare { column, op, value } => {
            let array = batch.column_by_name(column).unwrap();
            let value: Box<dyn Datum> = match value {
                Literal::Text(text) => Box::new(Scalar::new(StringArray::from(vec![text.as_str()]))),
                Literal::Float(value) => Box::new(Scalar::new(Float64Array::from(vec![*value]))),
                Literal::Int(value) => Box::new(Scalar::new(Int32Array::from(vec![*value as i32]))),
                _ => Box::new(Scalar::new(Int32Array::from(vec![None::<i32>]))),
            };
            match op {
                CompareOp::Eq => arrow_ord::cmp::eq(array, &*value).unwrap(),
                _ => arrow_ord::cmp::gt(array, &*value).unwrap(),
            }
        }
        Predicate::Text { column, value, .. } => {
            let needle = Scalar::new(StringArray::from(vec![value.as_str()]));
            arrow_string::like::contains(batch.column_by_name(column).unwrap(), &needle).unwrap()
        }
        Predicate::And(parts) => parts
            .iter()
            .map(|part| mask(part, batch))
            .reduce(|a, b| arrow_arith::boolean::and(&a, &b).unwrap())
            .unwrap(),
        _ => BooleanArray::from(vec![false; batch.num_rows()]),
    }
}

/// A number that engines agree on when their results do: the sum of all numbers of a result (of every column of type
/// number, or list of them), or, of an order, of the first key's values at a hundred places, weighted by the place.
fn checksum(task: &Value, table: &[RecordBatch], output: &Output) -> (usize, f64) {
    match output {
        Output::Rows(batch) => {
            let random = task["kind"] == "take";
            (batch.num_rows(), batch.columns().iter().map(|column| sum(column, random)).sum())
        }
        Output::Order(order) => {
            let key = task["plan"]["sort"][0]["column"].as_str().unwrap();
            let chunks: Vec<&dyn Array> =
                table.iter().map(|batch| batch.column_by_name(key).unwrap().as_ref()).collect();
            let places: Vec<u32> = (0..100).map(|place| order[place * (order.len() - 1) / 99]).collect();
            let places = Indices::try_new(places, order.len()).unwrap();
            (order.len(), sum(&kernels::take_chunks(&chunks, &places).unwrap(), true))
        }
    }
}

/// The sum of a column's numbers; with weights, of 1, 2, … 97 over and over, where the order is to matter.
fn sum(column: &dyn Array, weighted: bool) -> f64 {
    if let Some(lists) = column.as_list_opt::<i32>() {
        return sum(lists.values(), weighted);
    }
    let digits;
    let numbers = if let Some(text) = column.as_string_opt::<i32>() {
        if !weighted {
            return 0.0;
        }
        digits = text.iter().map(|text| text.and_then(|text| text[2..].parse::<f64>().ok())).collect::<Float64Array>();
        &digits as &dyn Array
    } else {
        column
    };
    let Ok(numbers) = arrow_cast::cast(numbers, &arrow_schema::DataType::Float64) else { return 0.0 };
    let numbers = numbers.as_primitive::<Float64Type>();
    let weight = |row: usize| if weighted { (row % 97 + 1) as f64 } else { 1.0 };
    numbers.iter().enumerate().map(|(row, value)| value.filter(|v| !v.is_nan()).unwrap_or(0.0) * weight(row)).sum()
}
