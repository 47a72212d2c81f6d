//! Opened and closed at random, the tree shows what plain queries give.

use arrow_array::{ArrayRef, Int32Array, StringArray};
use kernels::query::{Aggregate, AggregateFunction, Nulls, SortBy};

use super::*;
use crate::format::Zones;

fn formats() -> Formats {
    Formats { zones: Zones::new(Box::new(|_, _| None)), separator: ',' }
}

/// Towns, numbers and odd words, with nulls among them.
fn rows() -> RecordBatch {
    let towns = (0..60).map(|row| [Some("Ulm"), Some("a, \"b\""), None][row % 3]);
    let numbers = (0..60).map(|row| (row % 7 > 0).then_some(row % 4));
    let words = (0..60).map(|row| ["", "null", "x"][(row / 5) % 3]);
    RecordBatch::try_from_iter_with_nullable([
        ("town", Arc::new(StringArray::from_iter(towns)) as ArrayRef, true),
        ("number", Arc::new(Int32Array::from_iter(numbers)) as ArrayRef, true),
        ("word", Arc::new(StringArray::from_iter_values(words)) as ArrayRef, true),
    ])
    .unwrap()
}

fn plan() -> Plan {
    let key = |column: &str, descending| SortBy { column: column.to_owned(), descending, nulls: Nulls::Last };
    Plan {
        filter: Some(Predicate::IsNotNull { column: "word".to_owned() }),
        group_by: ["town", "number", "word"].map(str::to_owned).to_vec(),
        aggregates: vec![Aggregate { function: AggregateFunction::Count, column: None, other: None, name: None }],
        sort: vec![key("count", true), key("town", false), key("number", false), key("word", true)],
        ..Plan::default()
    }
}

fn run(plan: &Plan, rows: &RecordBatch) -> RecordBatch {
    plan.bind(&rows.schema()).unwrap().execute(std::slice::from_ref(rows)).unwrap()
}

fn tree(rows: &RecordBatch) -> Tree {
    let schema = plan().bind(&rows.schema()).unwrap().output_schema().clone();
    Tree::new(plan(), schema, &run(&Tree::plans(&plan(), None, &formats())[0], rows)).unwrap()
}

fn open(tree: &mut Tree, line: usize, rows: &RecordBatch) {
    let below = tree.plan_below(line, &formats()).unwrap();
    assert!(tree.open(line, &run(&below, rows)));
    // Each line is known again by the texts of its keys.
    for line in 0..tree.first.lines() {
        let path = tree.path_of(line, &formats()).unwrap();
        assert_eq!(tree.line_of(&path, &formats()), Some(line), "{path:?}");
    }
    assert_eq!(tree.path_of(tree.first.lines(), &formats()), None);
}

/// All lines as text, with as many dots before them as keys are above.
fn told(tree: &Tree) -> Vec<String> {
    let shown = tree.shown();
    assert_eq!(shown.rows(), tree.first.lines());
    let cell = |line: usize, column: usize| {
        let (array, row) = shown.cell(line, column).unwrap();
        let mut text = String::new();
        if format::write(array, row, None, &formats(), &mut text) { text } else { "–".to_owned() }
    };
    (0..shown.rows())
        .map(|line| {
            let Line { depth, open } = tree.line(line).unwrap();
            let sign = match open {
                Some(true) => "v",
                Some(false) => ">",
                None => "",
            };
            let cells: Vec<String> = (0..4).map(|column| cell(line, column)).collect();
            [&".".repeat(depth), sign, " ", &cells.join(" ")].concat()
        })
        .collect()
}

#[test]
fn groups_open_below_their_own() {
    let rows = rows();
    let mut tree = tree(&rows);
    assert_eq!(told(&tree), ["> Ulm – – 20", "> a, \"b\" – – 20", "> – – – 20"]);
    open(&mut tree, 1, &rows);
    let lines = told(&tree);
    assert_eq!(lines[..2], ["> Ulm – – 20", "v a, \"b\" – – 20"]);
    assert_eq!(lines.len(), 8);
    assert_eq!(lines[7], "> – – – 20");
    assert!(lines[2..7].iter().all(|line| line.starts_with(".> a, \"b\" ")), "{lines:?}");
    // A group of nulls among them, and its own by the last key, which have none below.
    let nulls = lines.iter().position(|line| line.starts_with(".> a, \"b\" – ")).unwrap();
    open(&mut tree, nulls, &rows);
    let lines = told(&tree);
    assert!(lines[nulls + 1].starts_with("..") && !lines[nulls + 1].contains('>'), "{lines:?}");
    assert!(tree.plan_below(nulls + 1, &formats()).is_none());
    assert!(!tree.open(nulls + 1, &rows) && !tree.close(nulls + 1) && !tree.close(99));
    assert_eq!((tree.line(99), tree.plan_below(99, &formats())), (None, None));
    // Closed with what is below.
    assert!(tree.close(1) && !tree.close(1));
    assert_eq!(told(&tree).len(), 3);
    assert!(!tree.open(0, &rows), "other columns");
}

#[test]
fn what_was_open_is_known_again_in_another_order() {
    let rows = rows();
    let mut before = tree(&rows);
    open(&mut before, 1, &rows);
    let nulls = told(&before).iter().position(|line| line.starts_with(".> a, \"b\" – ")).unwrap();
    open(&mut before, nulls, &rows);
    open(&mut before, 0, &rows);
    let opened = before.opened(&formats());
    assert_eq!(opened, ["Ulm\u{1f}", "a, \"b\"\u{1f}", "a, \"b\"\u{1f}\u{1e}"]);
    let mut whole = plan();
    whole.sort[1].descending = true;
    whole.sort.remove(0);
    let schema = whole.bind(&rows.schema()).unwrap().output_schema().clone();
    let first = run(&Tree::plans(&whole, None, &formats())[0], &rows);
    let mut after = Tree::new(whole, schema, &first).unwrap();
    for path in &opened {
        let line = after.line_of(path, &formats()).unwrap();
        open(&mut after, line, &rows);
    }
    assert_eq!(after.opened(&formats()).len(), 3);
    assert_ne!(told(&after), told(&before));
    let sorted = |tree: &Tree| {
        let mut lines = told(tree);
        lines.sort();
        lines
    };
    assert_eq!(sorted(&after), sorted(&before));
    // What is gone, or not open, has no line.
    assert_eq!(after.line_of("Bonn\u{1f}", &formats()), None);
    assert_eq!(after.line_of("\u{1e}1\u{1f}", &formats()), None);
}

#[test]
fn what_is_below_adds_up_and_is_in_the_order_of_the_view() {
    let rows = rows();
    let mut tree = tree(&rows);
    let mut seed = 7_u32;
    for _ in 0..200 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let line = (seed >> 8) as usize % tree.first.lines();
        match tree.line(line).unwrap().open {
            Some(false) => open(&mut tree, line, &rows),
            Some(true) => assert!(tree.close(line)),
            None => {}
        }
        // The counts below an open line add up to its own; lines of one level stand by their counts.
        let lines: Vec<(Line, usize)> = told(&tree)
            .iter()
            .enumerate()
            .map(|(line, text)| (tree.line(line).unwrap(), text.rsplit(' ').next().unwrap().parse().unwrap()))
            .collect();
        for (at, &(line, count)) in lines.iter().enumerate() {
            let below: Vec<usize> = lines[at + 1..]
                .iter()
                .take_while(|(other, _)| other.depth > line.depth)
                .filter(|(other, _)| other.depth == line.depth + 1)
                .map(|&(_, count)| count)
                .collect();
            assert_eq!(line.open == Some(true), !below.is_empty());
            assert!(below.is_empty() || below.iter().sum::<usize>() == count, "{lines:?}");
            assert!(below.is_sorted_by(|a, b| a >= b), "{below:?}");
        }
    }
}

#[test]
fn what_was_open_is_open_in_other_rows() {
    let all = rows();
    let mut tree = tree(&all);
    // The second town, its first number, and the third town, which the other rows do not have.
    open(&mut tree, 2, &all);
    open(&mut tree, 1, &all);
    open(&mut tree, 2, &all);
    let opened = tree.opened(&formats());
    assert_eq!(opened.len(), 3);
    let towns = rows().column(0).clone();
    let last = run(&Tree::plans(&plan(), None, &formats())[0], &all);
    let gone = format_cell(last.column(0).as_ref(), 2);
    let kept = (0..60u32).filter(|&row| format_cell(towns.as_ref(), row as usize) != gone && row % 5 > 0).collect();
    let kept = kernels::Indices::try_new(kept, 60).unwrap();
    let other = kernels::take_batches(&all.schema(), std::slice::from_ref(&all), &kept).unwrap();
    let plans = Tree::plans(&plan(), Some(&tree), &formats());
    assert_eq!(plans.len(), 4);
    let schema = tree.schema().clone();
    let mut again = Tree::new(plan(), schema, &run(&plans[0], &other)).unwrap();
    for (path, below) in opened.iter().zip(&plans[1..]) {
        if let Some(line) = again.line_of(path, &formats()) {
            assert!(again.open(line, &run(below, &other)));
        }
    }
    let mut expected = Tree::new(plan(), again.schema().clone(), &run(&plans[0], &other)).unwrap();
    for path in &opened {
        if let Some(line) = expected.line_of(path, &formats()) {
            open(&mut expected, line, &other);
        }
    }
    assert_eq!((told(&again), again.opened(&formats())), (told(&expected), opened[..2].to_vec()));
    // By other keys it is another tree.
    let turned = Plan { group_by: ["number", "town"].map(str::to_owned).to_vec(), ..plan() };
    assert_eq!(Tree::plans(&turned, Some(&tree), &formats()).len(), 1);
}

fn format_cell(array: &dyn Array, row: usize) -> Option<String> {
    let mut text = String::new();
    format::write(array, row, None, &formats(), &mut text).then_some(text)
}
