//! Plans as compact bytes: a version, then the parts in their order.
//!
//! Numbers are LEB128, signed ones zigzag first; a text is its length and its bytes; a list is its count and its items;
//! choices are one byte. Nothing is optional but by a bit that says so, and nothing may follow the end.

use kernels::query::{
    Aggregate, AggregateFunction, CompareOp, Fraction, Nulls, Plan, Predicate, Scalar, SortBy, TextTest,
};

use super::{FUNCTIONS, MAX_DEPTH, MAX_PARTS, check_length, wrong};
use crate::{Error, Result};

/// The version of the notation, its first byte.
const VERSION: u8 = 1;

const OPERATIONS: [CompareOp; 6] =
    [CompareOp::Eq, CompareOp::NotEq, CompareOp::Lt, CompareOp::LtEq, CompareOp::Gt, CompareOp::GtEq];
const TESTS: [TextTest; 3] = [TextTest::Contains, TextTest::BeginsWith, TextTest::EndsWith];

/// Behind the functions without a parameter.
const QUANTILE: u8 = FUNCTIONS.len() as u8;
const TOP: u8 = QUANTILE + 1;

/// Writes a plan.
///
/// # Errors
/// [`Error::Plan`] when predicates are nested too deep or an aggregate is not known to the notation.
///
/// ```
/// use kernels::query::Plan;
/// let plan = Plan { limit: Some(100), columns: Some(vec!["origin".into()]), ..Plan::default() };
/// let bytes = wire::plan::to_bytes(&plan)?;
/// assert_eq!(wire::plan::from_bytes(&bytes)?, plan);
/// # Ok::<(), Box<wire::Error>>(())
/// ```
pub fn to_bytes(plan: &Plan) -> Result<Vec<u8>> {
    let mut out = Writer(vec![VERSION]);
    let bits =
        u8::from(plan.columns.is_some()) | u8::from(plan.filter.is_some()) << 1 | u8::from(plan.limit.is_some()) << 2;
    out.0.push(bits);
    if let Some(columns) = &plan.columns {
        out.texts(columns);
    }
    if let Some(filter) = &plan.filter {
        out.predicate(filter, 1)?;
    }
    out.texts(&plan.group_by);
    out.number(plan.aggregates.len() as u64);
    for aggregate in &plan.aggregates {
        out.aggregate(aggregate)?;
    }
    out.number(plan.sort.len() as u64);
    for key in &plan.sort {
        out.text(&key.column);
        out.0.push(u8::from(key.descending) | u8::from(key.nulls == Nulls::First) << 1);
    }
    out.number(plan.offset as u64);
    if let Some(limit) = plan.limit {
        out.number(limit as u64);
    }
    Ok(out.0)
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend(text.as_bytes());
    }

    fn texts(&mut self, texts: &[String]) {
        self.number(texts.len() as u64);
        texts.iter().for_each(|text| self.text(text));
    }

    fn scalar(&mut self, scalar: &Scalar) {
        match scalar {
            Scalar::Null => self.0.push(0),
            Scalar::Boolean(value) => self.0.push(1 + u8::from(*value)),
            Scalar::Int(value) => {
                self.0.push(3);
                self.number((value << 1 ^ value >> 63) as u64);
            }
            Scalar::UInt(value) => {
                self.0.push(4);
                self.number(*value);
            }
            Scalar::Float(value) => {
                self.0.push(5);
                self.0.extend(value.to_le_bytes());
            }
            Scalar::Text(value) => {
                self.0.push(6);
                self.text(value);
            }
        }
    }

    fn choice<T: PartialEq>(&mut self, choices: &[T], choice: &T) {
        self.0.push(choices.iter().position(|known| known == choice).unwrap_or(0) as u8);
    }

    fn predicate(&mut self, predicate: &Predicate, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(wrong(&["predicates nested deeper than ", &MAX_DEPTH.to_string()]));
        }
        let begin = |out: &mut Self, kind: u8, column: &str| {
            out.0.push(kind);
            out.text(column);
        };
        match predicate {
            Predicate::Compare { column, op, value } => {
                begin(self, 0, column);
                self.choice(&OPERATIONS, op);
                self.scalar(value);
            }
            Predicate::CompareColumns { left, op, right } => {
                begin(self, 1, left);
                self.choice(&OPERATIONS, op);
                self.text(right);
            }
            Predicate::Between { column, low, high } => {
                begin(self, 2, column);
                self.scalar(low);
                self.scalar(high);
            }
            Predicate::In { column, values } => {
                begin(self, 3, column);
                self.number(values.len() as u64);
                values.iter().for_each(|value| self.scalar(value));
            }
            Predicate::IsNull { column } => begin(self, 4, column),
            Predicate::IsNotNull { column } => begin(self, 5, column),
            Predicate::Text { column, test, value, ignore_case } => {
                begin(self, 6, column);
                self.choice(&TESTS, test);
                self.0.push(u8::from(*ignore_case));
                self.text(value);
            }
            Predicate::And(parts) | Predicate::Or(parts) => {
                self.0.push(if matches!(predicate, Predicate::And(_)) { 7 } else { 8 });
                self.number(parts.len() as u64);
                parts.iter().try_for_each(|part| self.predicate(part, depth + 1))?;
            }
            Predicate::Not(part) => {
                self.0.push(9);
                self.predicate(part, depth + 1)?;
            }
        }
        Ok(())
    }

    fn aggregate(&mut self, aggregate: &Aggregate) -> Result<()> {
        match aggregate.function {
            AggregateFunction::Quantile(fraction) => {
                self.0.push(QUANTILE);
                self.0.extend(fraction.get().to_le_bytes());
            }
            AggregateFunction::Top(most) => {
                self.0.push(TOP);
                self.number(most.into());
            }
            function => {
                if !FUNCTIONS.contains(&function) {
                    return Err(wrong(&["the aggregate ", function.name(), " has no bytes"]));
                }
                self.choice(&FUNCTIONS, &function);
            }
        }
        let texts = [&aggregate.column, &aggregate.other, &aggregate.name];
        self.0.push(texts.iter().enumerate().map(|(bit, text)| u8::from(text.is_some()) << bit).sum());
        texts.into_iter().flatten().for_each(|text| self.text(text));
        Ok(())
    }
}

/// Reads a plan.
///
/// # Errors
/// [`Error::Plan`] with the byte at which it is wrong.
pub fn from_bytes(bytes: &[u8]) -> Result<Plan> {
    check_length(bytes.len())?;
    let mut reader = Reader { bytes, at: 0, parts: 0 };
    let version = reader.byte()?;
    if version != VERSION {
        return Err(wrong(&["version ", &version.to_string(), ", this reader knows ", &VERSION.to_string()]));
    }
    let bits = reader.choice(8, "the set of parts")?;
    let plan = Plan {
        columns: if bits & 1 == 0 { None } else { Some(reader.texts()?) },
        filter: if bits & 2 == 0 { None } else { Some(reader.predicate(1)?) },
        group_by: reader.texts()?,
        aggregates: reader.list(Reader::aggregate)?,
        sort: reader.list(|reader| {
            let column = reader.text()?;
            let bits = reader.choice(4, "the order of a key")?;
            let nulls = if bits & 2 == 0 { Nulls::Last } else { Nulls::First };
            Ok(SortBy { column, descending: bits & 1 == 1, nulls })
        })?,
        offset: reader.size()?,
        limit: if bits & 4 == 0 { None } else { Some(reader.size()?) },
    };
    if reader.at == bytes.len() { Ok(plan) } else { Err(reader.wrong("bytes follow the end")) }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    parts: usize,
}

impl Reader<'_> {
    fn wrong(&self, what: &str) -> Box<Error> {
        wrong(&[what, " at byte ", &self.at.to_string()])
    }

    fn take(&mut self, count: usize) -> Result<&[u8]> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.bytes.len());
        let Some(end) = end else { return Err(self.wrong("the bytes end early")) };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// A byte below a bound.
    fn choice(&mut self, bound: usize, what: &str) -> Result<u8> {
        let found = self.byte()?;
        if usize::from(found) < bound { Ok(found) } else { Err(self.wrong(&["an unknown number for ", what].concat())) }
    }

    fn number(&mut self) -> Result<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                break;
            }
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.wrong("a number of more than 64 bits"))
    }

    fn size(&mut self) -> Result<usize> {
        let number = self.number()?;
        usize::try_from(number).map_err(|_| self.wrong("a number that does not fit this machine"))
    }

    fn part(&mut self) -> Result<()> {
        self.parts += 1;
        if self.parts > MAX_PARTS { Err(self.wrong("too many parts")) } else { Ok(()) }
    }

    fn text(&mut self) -> Result<String> {
        self.part()?;
        let length = self.size()?;
        let bytes = self.take(length)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(self.wrong("a text is not UTF-8")),
        }
    }

    /// Items one by one: a count that lies allocates nothing.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.size()?;
        let mut items = Vec::new();
        for _ in 0..count {
            self.part()?;
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn texts(&mut self) -> Result<Vec<String>> {
        self.list(Self::text)
    }

    fn float(&mut self) -> Result<f64> {
        let bytes = self.take(8)?;
        Ok(bytes.try_into().map(f64::from_le_bytes).unwrap_or_default())
    }

    fn scalar(&mut self) -> Result<Scalar> {
        Ok(match self.choice(7, "a kind of value")? {
            0 => Scalar::Null,
            1 => Scalar::Boolean(false),
            2 => Scalar::Boolean(true),
            3 => {
                let number = self.number()?;
                Scalar::Int((number >> 1) as i64 ^ -((number & 1) as i64))
            }
            4 => Scalar::UInt(self.number()?),
            5 => Scalar::Float(self.float()?),
            _ => Scalar::Text(self.text()?),
        })
    }

    fn operation(&mut self) -> Result<CompareOp> {
        Ok(OPERATIONS[usize::from(self.choice(OPERATIONS.len(), "a comparison")?)])
    }

    fn predicate(&mut self, depth: usize) -> Result<Predicate> {
        if depth > MAX_DEPTH {
            return Err(self.wrong(&["predicates nested deeper than ", &MAX_DEPTH.to_string()].concat()));
        }
        self.part()?;
        Ok(match self.choice(10, "a predicate")? {
            0 => Predicate::Compare { column: self.text()?, op: self.operation()?, value: self.scalar()? },
            1 => Predicate::CompareColumns { left: self.text()?, op: self.operation()?, right: self.text()? },
            2 => Predicate::Between { column: self.text()?, low: self.scalar()?, high: self.scalar()? },
            3 => Predicate::In { column: self.text()?, values: self.list(Self::scalar)? },
            4 => Predicate::IsNull { column: self.text()? },
            5 => Predicate::IsNotNull { column: self.text()? },
            6 => Predicate::Text {
                column: self.text()?,
                test: TESTS[usize::from(self.choice(TESTS.len(), "a test of text")?)],
                ignore_case: self.choice(2, "the case of letters")? == 1,
                value: self.text()?,
            },
            7 => Predicate::And(self.list(|reader| reader.predicate(depth + 1))?),
            8 => Predicate::Or(self.list(|reader| reader.predicate(depth + 1))?),
            _ => Predicate::Not(Box::new(self.predicate(depth + 1)?)),
        })
    }

    fn aggregate(&mut self) -> Result<Aggregate> {
        let function = match self.choice(usize::from(TOP) + 1, "an aggregate")? {
            QUANTILE => {
                let fraction = Fraction::new(self.float()?);
                AggregateFunction::Quantile(fraction.ok_or_else(|| self.wrong("a fraction is not from 0 to 1"))?)
            }
            TOP => {
                let most = u32::try_from(self.number()?);
                AggregateFunction::Top(most.map_err(|_| self.wrong("a number of more than 32 bits"))?)
            }
            number => FUNCTIONS[usize::from(number)],
        };
        let bits = self.choice(8, "the parts of an aggregate")?;
        let mut text = |bit: u8| if bits >> bit & 1 == 0 { Ok(None) } else { self.text().map(Some) };
        Ok(Aggregate { function, column: text(0)?, other: text(1)?, name: text(2)? })
    }
}
