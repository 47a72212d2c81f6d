//! Columns of text and views from bytes: what is right is taken, what is wrong is named with its row.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use arrow_array::{Array, StringArray, StringViewArray};
use arrow_buffer::Buffer;
use arrow_schema::DataType;
use kernels::Error;
use kernels::arrays::{bytes_array, views_array};
use proptest::prelude::*;

fn text(offsets: &[i32], values: &[u8]) -> Result<String, Error> {
    let array = bytes_array(
        &DataType::Utf8,
        offsets.len().saturating_sub(1),
        &Buffer::from_slice_ref(offsets),
        &Buffer::from(values),
        None,
        None,
    )?;
    array.to_data().validate_full().unwrap();
    Ok(array.as_any().downcast_ref::<StringArray>().unwrap().iter().flatten().collect::<Vec<_>>().join("|"))
}

#[test]
fn offsets_and_letters_are_checked_and_named() {
    let word = "aüb€c".as_bytes();
    assert_eq!(text(&[0, 1, 3, 4, 7, 8], word).unwrap(), "a|ü|b|€|c");
    assert_eq!(text(&[3, 4, 7], word).unwrap(), "b|€");
    assert_eq!(text(&[], b"").unwrap(), "");
    assert_eq!(text(&[0], b"").unwrap(), "");
    let row = |offsets: &[i32], values: &[u8]| match text(offsets, values).unwrap_err() {
        Error::InvalidOffset { row } => ("offset", row),
        Error::InvalidText { row } => ("text", row),
        other => unreachable!("{other}"),
    };
    assert_eq!(row(&[0, 2, 8], word), ("text", 0));
    assert_eq!(row(&[0, 8, 2, 8], word), ("offset", 1));
    assert_eq!(row(&[0, 3, 9], word), ("offset", 1));
    assert_eq!(row(&[-1, 3, 8], word), ("offset", 0));
    assert_eq!(row(&[0, 3, -8], word).0, "offset");
    assert_eq!(row(&[0, 1, 2], b"a\xff"), ("text", 1));
    // The last value ends within a letter.
    assert_eq!(row(&[0, 1, 2], "aü".as_bytes()), ("text", 1));
    // Far behind the first block of rows.
    let mut offsets: Vec<i32> = (0..=30_000).collect();
    let mut values = vec![b'x'; 30_000];
    assert!(text(&offsets, &values).is_ok());
    values[20_000] = 0xc3;
    assert_eq!(row(&offsets, &values), ("text", 20_000));
    values[20_001] = 0xbc;
    assert_eq!(row(&offsets, &values), ("text", 20_000));
    values[20_001] = b'x';
    values[20_000] = b'x';
    offsets[16_384] = 16_383;
    offsets[16_385] = 5;
    assert_eq!(row(&offsets, &values), ("offset", 16_384));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 5 } else { 3_000 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_offsets_over_any_bytes_agree_with_arrow(
        offsets in prop::collection::vec(-2i32..14, 1..6),
        sorted in any::<bool>(),
        values in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..12),
            "[aü€𝄞]{0,5}".prop_map(String::into_bytes),
        ],
    ) {
        let mut offsets = offsets;
        if sorted {
            offsets.sort_unstable();
        }
        let rising = offsets.is_sorted() && offsets[0] >= 0;
        let expected = rising && (0..offsets.len() - 1).all(|row| {
            let value = values.get(offsets[row] as usize..offsets[row + 1] as usize);
            value.is_some_and(|value| std::str::from_utf8(value).is_ok())
        }) && offsets.last().is_some_and(|&last| last as usize <= values.len());
        let before_is_text = rising && values.get(..offsets[0] as usize).is_some_and(|head| std::str::from_utf8(head).is_ok());
        let found = text(&offsets, &values);
        // What stands before the first value must be text too; else both agree.
        prop_assert_eq!(found.is_ok(), expected && before_is_text, "{:?} {:?} {:?}", offsets, values, found);
    }

    #[test]
    fn any_views_agree_with_arrow(
        words in prop::collection::vec("[aü€𝄞]{0,9}", 0..6),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0u8..128), 0..3),
    ) {
        let array = StringViewArray::from_iter_values(&words);
        let mut views: Vec<u8> = array.views().inner().as_slice().to_vec();
        for (place, bit) in &flips {
            if !views.is_empty() {
                let at = place.index(views.len());
                views[at] ^= 1 << (bit % 8);
            }
        }
        let views = Buffer::from_slice_ref(&views);
        let buffers = array.data_buffers().to_vec();
        let found = views_array(&DataType::Utf8View, words.len(), &views, buffers.clone(), None, None);
        let expected = StringViewArray::try_new(views.into(), buffers, None);
        prop_assert_eq!(found.is_ok(), expected.is_ok(), "{:?} {:?}", found, expected);
        if let (Ok(found), Ok(expected)) = (found, expected) {
            prop_assert_eq!(found.as_ref(), &expected as &dyn Array);
        }
    }
}
