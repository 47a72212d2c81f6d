//! After every update of any kind the kept rows are those that a fresh query finds.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array,
};
use kernels::query::{Aggregate, AggregateFunction, CompareOp, Nulls, Plan, Predicate, Scalar, SortBy};
use wire::update::{Change, Update};

use super::*;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// Rows with few different values, so that there are ties and nulls.
fn batch(random: &mut Random, rows: usize, keys: usize) -> RecordBatch {
    let mut maybe = |bound: usize| (0..rows).map(|_| (random.below(9) > 0).then(|| random.below(bound))).collect();
    let (a, b, c, d): (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = (maybe(5), maybe(40), maybe(2), maybe(12));
    let names = ["x", "long enough to be no short text", "y", "", "zz"];
    let text = |values: &[Option<usize>]| -> Vec<Option<&str>> {
        values.iter().map(|value| value.map(|value| names[value % 5])).collect()
    };
    let key: Vec<String> = (0..rows).map(|_| ["k", &random.below(keys).to_string()].concat()).collect();
    let coded: DictionaryArray<arrow_array::types::Int32Type> = text(&d).into_iter().collect();
    let columns: [(&str, ArrayRef); 6] = [
        ("key", Arc::new(StringArray::from(key))),
        ("few", Arc::new(Int64Array::from_iter(a.iter().map(|a| a.map(|a| a as i64 - 2))))),
        ("price", Arc::new(Float64Array::from_iter(b.iter().map(|b| b.map(|b| b as f64 / 4.0))))),
        ("flag", Arc::new(BooleanArray::from_iter(c.iter().map(|c| c.map(|c| c > 0))))),
        ("text", Arc::new(StringArray::from(text(&d)))),
        ("code", Arc::new(coded)),
    ];
    let columns = columns.into_iter().map(|(name, column)| (name, column, name != "key"));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn change(random: &mut Random, keyed: bool, live: usize) -> Change {
    let count = match random.below(20) {
        0 => random.below(900),
        _ => random.below(7),
    };
    let rows = batch(random, count, 2_000);
    let only_key = |rows: &RecordBatch| rows.project(&[0]).unwrap();
    match random.below(12) {
        0..=3 => Change::Append(rows),
        4..=5 if keyed => Change::Upsert(rows),
        6..=7 if keyed => Change::Delete(only_key(&batch(random, 10 * count, 2_000))),
        8 if keyed => Change::Exchange { remove: only_key(&rows), insert: batch(random, count, 2_000) },
        9..=10 if live > 0 => {
            let places = UInt64Array::from_iter_values((0..count).map(|_| random.below(live) as u64));
            let columns: Vec<usize> = (1..6).filter(|_| random.chance(50)).collect();
            Change::Patch { rows: places, cells: rows.project(&columns).unwrap() }
        }
        11 if random.chance(5) => Change::Replace(vec![batch(random, 3_000, 2_000), rows]),
        11 if random.chance(20) => Change::Trim(random.below(live / 3 + 1) as u64),
        _ => Change::Append(rows),
    }
}

fn plan(random: &mut Random) -> Plan {
    let mut sort: Vec<SortBy> = Vec::new();
    for column in ["few", "price", "flag", "text", "code", "key"] {
        if random.chance(30) {
            let nulls = if random.chance(50) { Nulls::First } else { Nulls::Last };
            sort.insert(0, SortBy { column: column.to_owned(), descending: random.chance(50), nulls });
        }
    }
    let compare = |column: &str, op, value| Predicate::Compare { column: column.to_owned(), op, value };
    let filter = match random.below(4) {
        0 => Some(compare("price", CompareOp::Gt, Scalar::Float(3.0))),
        1 => Some(Predicate::And(vec![
            compare("few", CompareOp::NotEq, Scalar::Int(1)),
            Predicate::IsNotNull { column: "text".to_owned() },
        ])),
        _ => None,
    };
    Plan { filter, sort, ..Plan::default() }
}

fn begin(random: &mut Random, keyed: bool) -> LiveRows {
    let first = batch(random, 2_000, 2_000);
    let key = if keyed { vec!["key".to_owned()] } else { Vec::new() };
    let mut rows = LiveRows::try_new(&first.schema(), key, vec![first], (3, 10)).unwrap();
    assert!(rows.settle().unwrap().is_empty() && rows.position() == (3, 10));
    rows
}

/// Applies some updates as messages; gives what they touched.
fn updated(random: &mut Random, rows: &mut LiveRows, keyed: bool, only: Option<&str>) -> wire::table::Touched {
    for _ in 0..=random.below(3) {
        let (epoch, sequence) = rows.position();
        let mut what = change(random, keyed, rows.len());
        while only.is_some_and(|only| what.name() != only) {
            what = change(random, keyed, rows.len());
        }
        let message = Update::new(epoch, sequence + 1, what).to_message(wire::Options::default()).unwrap();
        rows.apply(message, 0.0).unwrap();
    }
    rows.settle().unwrap()
}

#[test]
fn an_order_is_what_a_fresh_query_finds_after_every_update() {
    for seed in 0..6 {
        let mut random = Random(seed);
        let keyed = seed % 3 > 0;
        let mut rows = begin(&mut random, keyed);
        let schema = rows.schema().clone();
        let plans: Vec<Plan> = (0..4).map(|_| plan(&mut random)).collect();
        let mut kept: Vec<Kept> = plans.iter().map(|plan| Kept::try_new(plan, &mut rows, None).unwrap()).collect();
        let all: Vec<usize> = (0..6).collect();
        for step in 0..100 {
            let touched = updated(&mut random, &mut rows, keyed, None);
            let batches = rows.batches().unwrap();
            for (plan, kept) in plans.iter().zip(&mut kept) {
                kept.keep(&mut rows, &touched).unwrap();
                let expected = plan.bind(&schema).unwrap().select(&batches).unwrap();
                let serials: Vec<u32> = (0..kept.len()).map(|place| kept.serial(place).unwrap()).collect();
                let numbers: Vec<u32> =
                    serials.iter().map(|&serial| rows.parts().row_of(serial).unwrap() as u32).collect();
                assert_eq!(numbers, expected.as_slice(), "seed {seed}, step {step}, {plan:?}");
                for (place, &serial) in serials.iter().enumerate().step_by(97) {
                    assert_eq!(kept.place(serial), Some(place));
                    assert_eq!(rows.parts().serial(numbers[place] as usize), Some(serial));
                }
                if step % 20 == 0 {
                    let wanted = kernels::take_batches(&schema, &batches, &expected).unwrap();
                    assert_eq!(rows.parts().take(&serials, &all, &schema).unwrap(), wanted);
                }
            }
        }
    }
}

#[test]
fn groups_are_what_a_fresh_query_finds() {
    for seed in 0..6 {
        let mut random = Random(seed + 50);
        let keyed = seed % 2 > 0;
        let mut rows = begin(&mut random, keyed);
        let aggregate = |function, column: Option<&str>| Aggregate {
            function,
            column: column.map(str::to_owned),
            other: None,
            name: None,
        };
        let plan = Plan {
            group_by: vec!["text".to_owned(), "few".to_owned()],
            aggregates: vec![
                aggregate(AggregateFunction::Count, None),
                aggregate(AggregateFunction::Sum, Some("few")),
                aggregate(AggregateFunction::Max, Some("price")),
            ],
            sort: vec![SortBy { column: "text".to_owned(), descending: true, nulls: Nulls::Last }],
            ..plan(&mut random)
        };
        let mut now = 0.0;
        let mut groups = KeptGroups::try_new(&plan, &mut rows, now).unwrap();
        let fresh =
            |rows: &mut LiveRows| plan.bind(&rows.schema().clone()).unwrap().execute(&rows.batches().unwrap()).unwrap();
        while groups.is_busy() {
            groups.step(&mut rows, now).unwrap();
        }
        assert_eq!(groups.result().unwrap(), fresh(&mut rows));
        for step in 0..60 {
            // Appended rows show at once.
            let appends = if keyed { None } else { Some("append") };
            let before = groups.result().unwrap();
            let touched = updated(&mut random, &mut rows, keyed, appends);
            let changed = groups.keep(&rows, &touched).unwrap();
            assert!(changed || groups.is_busy() || touched.is_empty());
            if groups.is_busy() {
                // What was there stays until the others are made.
                assert!(!groups.step(&mut rows, now + 1.0).unwrap());
                assert_eq!(groups.result().unwrap(), before);
                now += 251.0;
                while groups.is_busy() {
                    groups.step(&mut rows, now).unwrap();
                    now += 1.0;
                }
            }
            assert_eq!(groups.result().unwrap(), fresh(&mut rows), "seed {seed}, step {step}");
        }
    }
}

#[test]
fn a_small_update_of_a_large_order_looks_at_few_rows() {
    let mut random = Random(5);
    let first = batch(&mut random, 200_000, 100_000_000);
    let mut rows = LiveRows::try_new(&first.schema(), vec!["key".to_owned()], vec![first], (0, 0)).unwrap();
    rows.settle().unwrap();
    let sort = vec![SortBy { column: "price".to_owned(), descending: true, nulls: Nulls::Last }];
    let plan = Plan { sort, ..Plan::default() };
    let mut kept = Kept::try_new(&plan, &mut rows, None).unwrap();
    let mut best = [f64::MAX; 2];
    for round in 0..30 {
        let message = Update::new(0, round + 1, Change::Append(batch(&mut random, 10, 100_000_000)));
        rows.apply(message.to_message(wire::Options::default()).unwrap(), 0.0).unwrap();
        let touched = rows.settle().unwrap();
        let begin = std::time::Instant::now();
        kept.keep(&mut rows, &touched).unwrap();
        best[0] = best[0].min(begin.elapsed().as_secs_f64());
        let begin = std::time::Instant::now();
        Kept::try_new(&plan, &mut rows, None).unwrap();
        best[1] = best[1].min(begin.elapsed().as_secs_f64());
    }
    assert!(best[0] * 10.0 < best[1], "{best:?}");
}

#[test]
fn changed_cells_are_seen_for_a_moment() {
    let mut random = Random(9);
    let mut rows = begin(&mut random, true);
    let cells = RecordBatch::try_from_iter([("price", Arc::new(Float64Array::from(vec![1e9])) as ArrayRef)]).unwrap();
    let patch = Change::Patch { rows: vec![5].into(), cells };
    let update = Update::new(3, 11, patch);
    assert_eq!(rows.apply(update.to_message(wire::Options::default()).unwrap(), 0.0).unwrap(), [0, 1, 0]);
    let touched = rows.settle().unwrap();
    let mut flashes = Flashes::default();
    flashes.mark(&touched, true, 1_000.0);
    let serial = rows.parts().serial(5).unwrap();
    assert_eq!((flashes.age(serial, 2, 1_000.0), flashes.age(serial, 2, 1_450.0)), (Some(0.0), Some(450.0)));
    assert!(flashes.is_alive(1_450.0) && !flashes.is_alive(1_700.0));
    assert_eq!((flashes.age(serial, 1, 1_000.0), flashes.age(serial, 2, 1_700.0)), (None, None));
    let (epoch, sequence) = rows.position();
    let update = Update::new(epoch, sequence + 1, Change::Append(batch(&mut random, 1, 1_000_000_000)));
    rows.apply(update.to_message(wire::Options::default()).unwrap(), 0.0).unwrap();
    flashes.mark(&rows.settle().unwrap(), true, 2_000.0);
    let last = rows.parts().serial(rows.len() - 1).unwrap();
    assert_eq!(flashes.age(last, ROW, 2_100.0), Some(100.0));
    assert!(!flashes.is_alive(2_700.0));
}
