//! Literals of a plan, bound to a column's type.
//!
//! A literal need not be a value of the type: `int_column < 3.5`, `u8_column < 1000` and
//! `date_column >= '2013-05-01T12:00:00Z'` all mean something exact. So a literal becomes a [`Place`] on
//! the line of the type's order-preserving keys: at some keys, between two keys, or beyond an end; and
//! every operator is then a range of keys.

use std::cmp::Ordering;

use arrow_array::types::{ArrowPrimitiveType, Float16Type};
use arrow_schema::{DataType, TimeUnit};

use super::Test;
use super::text::Pattern;
use crate::error::WrongType;
use crate::moment;
use crate::query::{CompareOp, Scalar, TextTest};
use crate::runs::plain_type;
use crate::sort::sort_by;
use crate::types::{self, Kind, Order, Width, Word};
use crate::{Error, Result};

/// Where a literal stands among the keys of a type.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Below,
    Above,
    /// Equal to the keys `low..=high`; between `high` and `low` when `high + 1 == low`.
    At {
        low: u128,
        high: u128,
    },
}

/// Binds `column op value`.
pub(crate) fn bind_compare(column: &str, data_type: &DataType, op: CompareOp, value: &Scalar) -> Result<Test> {
    let data_type = plain_type(data_type);
    if let DataType::Dictionary(_, values) = data_type {
        return bind_compare(column, values, op, value);
    }
    if *value == Scalar::Null || *data_type == DataType::Null {
        return Ok(Test::Unknown);
    }
    let wrong = |expected| wrong_type(column, data_type, value, expected);
    match (types::kind(data_type), value) {
        (Kind::Boolean, Scalar::Boolean(value)) => Ok(compare_boolean(op, *value)),
        (Kind::Boolean, _) => Err(wrong("true or false")),
        (Kind::Bytes, Scalar::Text(text)) => Ok(Test::Bytes { op, value: text.clone().into_bytes() }),
        (Kind::Bytes, _) => Err(wrong("text")),
        (Kind::Fixed(width, order), _) if width != Width::W32 && order != Order::None => {
            let place = place(data_type, width, order, value).ok_or_else(|| wrong(expected(data_type)))?;
            Ok(compare_place(op, place, last_key(width)))
        }
        _ => Err(types::unsupported("compare", data_type)),
    }
}

/// Binds `low <= column <= high`.
pub(crate) fn bind_between(column: &str, data_type: &DataType, low: &Scalar, high: &Scalar) -> Result<Test> {
    let low = bind_compare(column, data_type, CompareOp::GtEq, low)?;
    let high = bind_compare(column, data_type, CompareOp::LtEq, high)?;
    Ok(match (&low, &high) {
        (Test::Range { ends: low, negate: false }, Test::Range { ends: high, negate: false }) => range(low.0, high.1),
        _ => Test::Both(Box::new((low, high))),
    })
}

/// Binds `column in (values)`. A NULL among the values makes every miss unknown, as in SQL.
pub(crate) fn bind_in(column: &str, data_type: &DataType, values: &[Scalar]) -> Result<(Test, bool)> {
    let data_type = plain_type(data_type);
    if let DataType::Dictionary(_, inner) = data_type {
        return bind_in(column, inner, values);
    }
    let mut keys = Vec::new();
    let mut texts = Vec::new();
    let mut booleans = [false; 2];
    let mut has_null = false;
    for value in values {
        match bind_compare(column, data_type, CompareOp::Eq, value)? {
            Test::Unknown => has_null = true,
            Test::Range { ends, .. } => keys.extend([ends.0, ends.1]),
            Test::Bytes { value, .. } => texts.push(value),
            Test::Boolean(value) => booleans[usize::from(value)] = true,
            _ => {}
        }
    }
    let test = match types::kind(data_type) {
        Kind::Bytes => {
            let order = sorted(texts.len(), |a, b| texts[a].cmp(&texts[b]));
            Test::BytesIn(order.into_iter().map(|at| std::mem::take(&mut texts[at as usize])).collect())
        }
        Kind::Boolean => match booleans {
            [true, true] => Test::Constant(true),
            [false, false] => Test::Constant(false),
            [_, value] => Test::Boolean(value),
        },
        Kind::Null => Test::Unknown,
        _ => {
            let order = sorted(keys.len(), |a, b| keys[a].cmp(&keys[b]));
            let mut keys: Vec<u128> = order.into_iter().map(|at| keys[at as usize]).collect();
            keys.dedup();
            if keys.is_empty() { Test::Constant(false) } else { Test::Keys(keys) }
        }
    };
    Ok((test, has_null))
}

/// The places of so many values in their order.
fn sorted(length: usize, compare: impl Fn(usize, usize) -> Ordering) -> Vec<u32> {
    let mut places: Vec<u32> = (0..length as u32).collect();
    sort_by(&mut places, |a, b| compare(a as usize, b as usize));
    places
}

/// Binds a text test.
pub(crate) fn bind_text(
    column: &str,
    data_type: &DataType,
    test: TextTest,
    value: &str,
    ignore_case: bool,
) -> Result<Test> {
    if types::is_text(plain_type(data_type)) {
        Ok(Test::Text(Pattern::new(test, value, ignore_case)))
    } else {
        Err(wrong_type(column, data_type, &Scalar::Text(value.to_owned()), "a text column for a text test"))
    }
}

fn compare_boolean(op: CompareOp, value: bool) -> Test {
    // false < true
    match (op, value) {
        (CompareOp::Eq, _) => Test::Boolean(value),
        (CompareOp::NotEq, _) => Test::Boolean(!value),
        (CompareOp::Lt, true) | (CompareOp::LtEq, false) => Test::Boolean(false),
        (CompareOp::Gt, false) | (CompareOp::GtEq, true) => Test::Boolean(true),
        (CompareOp::Lt, false) | (CompareOp::Gt, true) => Test::Constant(false),
        (CompareOp::LtEq, true) | (CompareOp::GtEq, false) => Test::Constant(true),
    }
}

fn compare_place(op: CompareOp, place: Place, last: u128) -> Test {
    let (low, high) = match place {
        Place::Below => return Test::Constant(matches!(op, CompareOp::NotEq | CompareOp::Gt | CompareOp::GtEq)),
        Place::Above => return Test::Constant(matches!(op, CompareOp::NotEq | CompareOp::Lt | CompareOp::LtEq)),
        Place::At { low, high } => (low, high),
    };
    let after = |key: u128| key.checked_add(1).filter(|&key| key <= last);
    match op {
        CompareOp::Eq => range(low, high),
        CompareOp::NotEq if low > high => Test::Constant(true),
        CompareOp::NotEq => Test::Range { ends: Box::new((low, high)), negate: true },
        CompareOp::Lt => low.checked_sub(1).map_or(Test::Constant(false), |high| range(0, high)),
        CompareOp::LtEq => range(0, high),
        CompareOp::Gt => after(high).map_or(Test::Constant(false), |low| range(low, last)),
        CompareOp::GtEq => range(low, last),
    }
}

/// Keys between two, both included.
fn range(low: u128, high: u128) -> Test {
    if low <= high { Test::Range { ends: Box::new((low, high)), negate: false } } else { Test::Constant(false) }
}

fn bits_of(width: Width) -> u32 {
    match width {
        Width::W1 => 8,
        Width::W2 => 16,
        Width::W4 => 32,
        Width::W8 => 64,
        Width::W16 | Width::W16Interval | Width::W32 => 128,
    }
}

fn last_key(width: Width) -> u128 {
    u128::MAX >> (128 - bits_of(width))
}

fn place(data_type: &DataType, width: Width, order: Order, value: &Scalar) -> Option<Place> {
    use DataType as D;
    let whole = |number: Whole| Some(place_whole(number, width, order));
    match data_type {
        D::Float16 | D::Float32 | D::Float64 => Some(place_float(data_type, number(value)?)),
        D::Date32 => whole(match value {
            Scalar::Text(text) => Whole::ratio(moment::parse_timestamp(text)?, moment::NANOS_PER_DAY),
            _ => Whole::of(value)?,
        }),
        D::Date64 => whole(match value {
            Scalar::Text(text) => Whole::ratio(moment::parse_timestamp(text)?, moment::nanos(TimeUnit::Millisecond)),
            _ => Whole::of(value)?,
        }),
        D::Timestamp(unit, _) => whole(match value {
            Scalar::Text(text) => Whole::ratio(moment::parse_timestamp(text)?, moment::nanos(*unit)),
            _ => Whole::of(value)?,
        }),
        D::Time32(unit) | D::Time64(unit) => whole(match value {
            Scalar::Text(text) => Whole::ratio(moment::parse_time(text)?, moment::nanos(*unit)),
            _ => Whole::of(value)?,
        }),
        D::Decimal32(_, scale) | D::Decimal64(_, scale) | D::Decimal128(_, scale) => {
            let text;
            let digits = match value {
                Scalar::Text(text) => text.as_str(),
                Scalar::Int(_) | Scalar::UInt(_) | Scalar::Float(_) => {
                    text = written(value);
                    &text
                }
                _ => return None,
            };
            whole(parse_decimal(digits, *scale)?)
        }
        _ => whole(Whole::of(value)?),
    }
}

fn written(value: &Scalar) -> String {
    match value {
        Scalar::Int(value) => value.to_string(),
        Scalar::UInt(value) => value.to_string(),
        Scalar::Float(value) => value.to_string(),
        _ => String::new(),
    }
}

fn number(value: &Scalar) -> Option<f64> {
    match value {
        Scalar::Int(value) => Some(*value as f64),
        Scalar::UInt(value) => Some(*value as f64),
        Scalar::Float(value) => Some(*value),
        _ => None,
    }
}

/// A number on the line of whole numbers: its floor, and whether it is its floor.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Whole {
    Finite { floor: i128, exact: bool },
    BelowAll,
    AboveAll,
}

impl Whole {
    fn of(value: &Scalar) -> Option<Self> {
        match value {
            Scalar::Int(value) => Some(Self::Finite { floor: i128::from(*value), exact: true }),
            Scalar::UInt(value) => Some(Self::Finite { floor: i128::from(*value), exact: true }),
            Scalar::Float(value) => Some(Self::of_float(*value)),
            _ => None,
        }
    }

    fn of_float(value: f64) -> Self {
        // Beyond ±2^126 no 64-bit column has a value; a NaN stands above all numbers.
        const FAR: f64 = 8.5e37;
        if value <= -FAR {
            Self::BelowAll
        } else if value < FAR {
            Self::Finite { floor: value.floor() as i128, exact: value.floor() == value }
        } else {
            Self::AboveAll
        }
    }

    fn ratio(numerator: i128, denominator: i128) -> Self {
        Self::Finite { floor: numerator.div_euclid(denominator), exact: numerator.rem_euclid(denominator) == 0 }
    }
}

fn place_whole(number: Whole, width: Width, order: Order) -> Place {
    let (floor, exact) = match number {
        Whole::Finite { floor, exact } => (floor, exact),
        Whole::BelowAll => return Place::Below,
        Whole::AboveAll => return Place::Above,
    };
    let bits = bits_of(width);
    let (least, greatest) = match order {
        Order::Signed if bits == 128 => (i128::MIN, i128::MAX),
        Order::Signed => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        _ => (0, (1i128 << bits.min(126)) - 1),
    };
    if floor < least {
        return Place::Below;
    }
    if floor > greatest || (floor == greatest && !exact) {
        return Place::Above;
    }
    let key = floor.wrapping_sub(least) as u128;
    if exact { Place::At { low: key, high: key } } else { Place::At { low: key + 1, high: key } }
}

fn place_float(data_type: &DataType, value: f64) -> Place {
    // The greatest value of the column's type that is not above `value`, and whether it is `value`.
    match data_type {
        DataType::Float64 => float_keys(value, |v| u128::from(v.to_bits().to_key(Order::Float)), |_| Ordering::Equal),
        DataType::Float32 => {
            let near = value as f32;
            float_keys(
                value,
                |_| u128::from(near.to_bits().to_key(Order::Float)),
                |value| f64::from(near).partial_cmp(&value).unwrap_or(Ordering::Equal),
            )
        }
        _ => {
            let near = <Float16Type as ArrowPrimitiveType>::Native::from_f64(value);
            float_keys(
                value,
                |_| u128::from(near.to_bits().to_key(Order::Float)),
                |value| near.to_f64().partial_cmp(&value).unwrap_or(Ordering::Equal),
            )
        }
    }
}

fn float_keys(value: f64, key: impl Fn(f64) -> u128, near: impl Fn(f64) -> Ordering) -> Place {
    let at = key(value);
    match near(value) {
        // Both zeros are one value: their keys are neighbours.
        Ordering::Equal if value == 0.0 && value.is_sign_negative() => Place::At { low: at, high: at + 1 },
        Ordering::Equal if value == 0.0 => Place::At { low: at - 1, high: at },
        Ordering::Equal => Place::At { low: at, high: at },
        Ordering::Less => Place::At { low: at + 1, high: at },
        Ordering::Greater => Place::At { low: at, high: at - 1 },
    }
}

/// Of a number that is not negative.
fn times_ten(number: i128) -> Option<i128> {
    (number <= i128::MAX / 10).then(|| number * 10)
}

/// A decimal number as written, times ten to the scale.
fn parse_decimal(text: &str, scale: i8) -> Option<Whole> {
    let (text, exponent) = match text.split_once(['e', 'E']) {
        Some((text, exponent)) => (text, exponent.parse::<i32>().ok()?.clamp(-1_000, 1_000)),
        None => (text, 0),
    };
    let wanted = i32::from(scale) + exponent;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (units, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if units.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut magnitude: i128 = 0;
    let mut exact = true;
    // Position 0 is the unit digit's right edge; digits beyond the scale only tell whether it is exact.
    let total = units.len() as i32;
    for (position, digit) in (0i32..).zip(units.bytes().chain(fraction.bytes())) {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        if position < total + wanted {
            magnitude = match times_ten(magnitude).and_then(|m| m.checked_add(i128::from(digit))) {
                Some(magnitude) => magnitude,
                None => return Some(if negative { Whole::BelowAll } else { Whole::AboveAll }),
            };
        } else if digit != 0 {
            exact = false;
        }
    }
    for _ in (fraction.len() as i32)..wanted {
        if magnitude == 0 {
            break;
        }
        magnitude = match times_ten(magnitude) {
            Some(magnitude) => magnitude,
            None => return Some(if negative { Whole::BelowAll } else { Whole::AboveAll }),
        };
    }
    let floor = match (negative, exact) {
        (false, _) => magnitude,
        (true, true) => -magnitude,
        (true, false) => -magnitude - 1,
    };
    Some(Whole::Finite { floor, exact })
}

fn expected(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Date32 | DataType::Date64 => "a date such as \"2013-05-01\", or a number",
        DataType::Timestamp(..) => "a timestamp such as \"2013-05-01T12:00:00Z\", or a number",
        DataType::Time32(_) | DataType::Time64(_) => "a time such as \"12:30:00\", or a number",
        _ => "a number",
    }
}

#[cold]
#[inline(never)]
fn wrong_type(column: &str, data_type: &DataType, value: &Scalar, expected: &'static str) -> Box<Error> {
    let found = match value {
        Scalar::Null => "null".to_owned(),
        Scalar::Boolean(true) => "true".to_owned(),
        Scalar::Boolean(false) => "false".to_owned(),
        Scalar::Text(text) => ["text \"", text, "\""].concat(),
        number => ["number ", &written(number)].concat(),
    };
    let (column, data_type) = (column.to_owned(), data_type.clone());
    Box::new(Error::WrongType(WrongType { column, data_type, found, expected }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(data_type: DataType, op: CompareOp, value: Scalar, expected: Test) {
        assert_eq!(bind_compare("c", &data_type, op, &value), Ok(expected), "{data_type} {op:?} {value:?}");
    }

    fn range(low: u128, high: u128) -> Test {
        Test::Range { ends: Box::new((low, high)), negate: false }
    }

    #[test]
    fn whole_numbers() {
        use CompareOp::*;
        check(DataType::UInt8, Lt, Scalar::Int(1000), Test::Constant(true));
        check(DataType::UInt8, Eq, Scalar::Int(-1), Test::Constant(false));
        check(DataType::UInt8, Gt, Scalar::Float(254.5), range(255, 255));
        check(DataType::UInt8, Gt, Scalar::Int(255), Test::Constant(false));
        check(DataType::UInt8, Lt, Scalar::Float(0.5), range(0, 0));
        check(DataType::Int8, LtEq, Scalar::Float(-128.5), Test::Constant(false));
        check(DataType::Int8, GtEq, Scalar::Float(-128.5), Test::Constant(true));
        check(DataType::Int8, Eq, Scalar::Int(-128), range(0, 0));
        check(DataType::Int64, Eq, Scalar::Float(3.5), Test::Constant(false));
        check(DataType::Int64, NotEq, Scalar::Float(3.5), Test::Constant(true));
        check(DataType::UInt64, Eq, Scalar::UInt(u64::MAX), range(u128::from(u64::MAX), u128::from(u64::MAX)));
        check(DataType::Int32, Eq, Scalar::Null, Test::Unknown);
    }

    #[test]
    fn decimals() {
        use CompareOp::*;
        let zero = 1u128 << 127;
        check(DataType::Decimal128(10, 2), Eq, Scalar::Text("1.15".into()), range(zero + 115, zero + 115));
        check(DataType::Decimal128(10, 2), Eq, Scalar::Float(1.15), range(zero + 115, zero + 115));
        check(DataType::Decimal128(10, 2), Eq, Scalar::Text("11500e-4".into()), range(zero + 115, zero + 115));
        check(DataType::Decimal128(10, 2), Lt, Scalar::Text("-1E30".into()), range(0, zero - 10u128.pow(32) - 1));
        check(DataType::Decimal128(10, 2), Gt, Scalar::Text("1e99999".into()), Test::Constant(false));
        check(DataType::Decimal128(10, 2), Eq, Scalar::Text("1.155".into()), Test::Constant(false));
        check(DataType::Decimal128(10, 2), Lt, Scalar::Text("-1.155".into()), range(0, zero - 116));
        check(DataType::Decimal128(10, -2), Eq, Scalar::Int(300), range(zero + 3, zero + 3));
        check(DataType::Decimal128(10, -2), Eq, Scalar::Int(301), Test::Constant(false));
    }

    #[test]
    fn dates_and_timestamps() {
        use CompareOp::*;
        let day = (1u128 << 31) + 15_826;
        check(DataType::Date32, Eq, Scalar::Text("2013-05-01".into()), range(day, day));
        check(DataType::Date32, Gt, Scalar::Text("2013-05-01T12:00:00Z".into()), range(day + 1, u128::from(u32::MAX)));
        let second = (1u128 << 63) + 15_826 * 86_400;
        let seconds = DataType::Timestamp(TimeUnit::Second, Some("UTC".into()));
        check(seconds, Eq, Scalar::Text("2013-05-01T02:00:00+02:00".into()), range(second, second));
        assert!(bind_compare("c", &DataType::Date32, Eq, &Scalar::Text("yesterday".into())).is_err());
    }
}
