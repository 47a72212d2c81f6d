//! Names for columns, each once: plans, filters and scripts name a column, so a name that comes twice would mean the first.
//!
//! The first column of a name keeps it; the others get a number behind it (`a`, `a_2`, `a_3`), and none gets a name that
//! another column has from the start.

use std::sync::Arc;

use arrow_schema::{Fields, Schema, SchemaRef};

/// Renames all but the first of names that come more than once; whether any did.
pub fn distinct_names(names: &mut [String]) -> bool {
    let mut numbers = vec![1u32; names.len()];
    let mut is_changed = false;
    for place in 1..names.len() {
        // Those before stand once, so this finds the first that has the name.
        let Some(first) = names[..place].iter().position(|name| *name == names[place]) else { continue };
        is_changed = true;
        names[place] = loop {
            numbers[first] += 1;
            let name = [&names[first], "_", &numbers[first].to_string()].concat();
            if !names.contains(&name) {
                break name;
            }
        };
    }
    is_changed
}

/// The schema with [`distinct_names`]; itself where they were.
#[must_use]
pub fn distinct_schema(schema: &SchemaRef) -> SchemaRef {
    let mut names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    if !distinct_names(&mut names) {
        return schema.clone();
    }
    let named = schema.fields().iter().zip(names).map(|(field, name)| match *field.name() == name {
        true => field.clone(),
        false => Arc::new(field.as_ref().clone().with_name(name)),
    });
    Arc::new(Schema::new_with_metadata(named.collect::<Fields>(), schema.metadata().clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_there_once() {
        for (names, expected) in [
            (&["a", "b"][..], &["a", "b"][..]),
            (&["a", "a", "a"], &["a", "a_2", "a_3"]),
            (&["a", "a", "a_2"], &["a", "a_3", "a_2"]),
            (&["a_2", "a", "a", "a_2"], &["a_2", "a", "a_3", "a_2_2"]),
            (&["", "", "_2"], &["", "_3", "_2"]),
            (&[], &[]),
        ] {
            let mut found: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(distinct_names(&mut found), names != expected, "{names:?}");
            assert_eq!(found, expected, "{names:?}");
            assert!(!distinct_names(&mut found), "{names:?}");
        }
    }

    #[test]
    fn many_columns_of_one_name_take_no_minutes() {
        let mut names = vec!["x".to_owned(); 3_000];
        distinct_names(&mut names);
        assert_eq!(names.last().map(String::as_str), Some("x_3000"));
    }
}
