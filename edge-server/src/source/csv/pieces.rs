//! A CSV file cut into pieces of whole records, so that many threads can read them at once.
//!
//! A line break inside quotes ends no record. Whether a quote opens a field is known only from what stands before it, so
//! pieces are cut one after the other, by a walk that looks at quotes alone: it is much faster than reading fields.

use std::io::Read;

use memchr::{memchr, memchr2, memrchr};

/// Bytes that are read for one piece.
const PIECE: usize = 4 << 20;
/// The longest record that is taken for one: beyond it a quote was left open, most likely.
const LONGEST: usize = 256 << 20;

/// Why no piece could be cut.
#[derive(Debug)]
pub(super) enum Cut {
    Io(std::io::Error),
    /// No record ends within the limit.
    TooLong,
}

/// Cuts what it reads.
pub(super) struct Pieces<R> {
    input: R,
    delimiter: u8,
    /// What was read behind the last record's end.
    rest: Vec<u8>,
    ended: bool,
}

impl<R: Read> Pieces<R> {
    pub(super) fn new(input: R, delimiter: u8) -> Self {
        Self { input, delimiter, rest: Vec::new(), ended: false }
    }

    /// The next piece, of which every record has its line break.
    fn cut(&mut self) -> Result<Option<Vec<u8>>, Cut> {
        let mut piece = std::mem::take(&mut self.rest);
        let mut walk = Walk::default();
        let mut wanted = PIECE;
        loop {
            piece.reserve_exact(wanted);
            while !self.ended && wanted > 0 {
                let read = self.input.by_ref().take(wanted as u64).read_to_end(&mut piece).map_err(Cut::Io)?;
                self.ended = read == 0;
                wanted = wanted.saturating_sub(read);
            }
            if self.ended {
                if piece.last().is_some_and(|&last| last != b'\n') {
                    piece.push(b'\n');
                }
                return Ok((!piece.is_empty()).then_some(piece));
            }
            let end = walk.last_end(&piece, self.delimiter);
            if end > 0 {
                self.rest = piece.split_off(end);
                return Ok(Some(piece));
            }
            if piece.len() > LONGEST {
                return Err(Cut::TooLong);
            }
            wanted = piece.len();
        }
    }
}

/// Where the first and the last whole record of some bytes end.
pub(super) struct Ends {
    pub(super) first: Option<usize>,
    pub(super) last: usize,
}

/// Looks for the ends of records from a file's start.
pub(super) fn ends(bytes: &[u8], delimiter: u8) -> Ends {
    let mut walk = Walk::default();
    let last = walk.last_end(bytes, delimiter);
    // The first record ends with the first line break outside of quotes.
    let breaks = memchr::memchr_iter(b'\n', bytes).map(|at| at + 1);
    let first = breaks.into_iter().find(|&end| Walk::default().last_end(&bytes[..end], delimiter) == end);
    Ends { first, last }
}

impl<R: Read> Iterator for Pieces<R> {
    type Item = Result<Vec<u8>, Cut>;

    fn next(&mut self) -> Option<Self::Item> {
        self.cut().transpose()
    }
}

/// Where the walk over quotes is, so that a longer piece is not walked from its start.
#[derive(Default)]
struct Walk {
    at: usize,
    is_quoted: bool,
    end: usize,
}

impl Walk {
    /// Where the last whole record ends; 0 when there is none.
    fn last_end(&mut self, bytes: &[u8], delimiter: u8) -> usize {
        if self.at == 0 && memchr(b'"', bytes).is_none() {
            return memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        }
        while self.at < bytes.len() {
            if self.is_quoted {
                // A doubled quote closes and opens again at once.
                let Some(quote) = memchr(b'"', &bytes[self.at..]) else {
                    self.at = bytes.len();
                    break;
                };
                let after = self.at + quote + 1;
                match bytes.get(after) {
                    Some(b'"') => self.at = after + 1,
                    Some(_) => (self.at, self.is_quoted) = (after, false),
                    // What comes next tells; the quote is looked at again.
                    None => {
                        self.at = after - 1;
                        break;
                    }
                }
                continue;
            }
            let Some(found) = memchr2(b'"', b'\n', &bytes[self.at..]) else {
                self.at = bytes.len();
                break;
            };
            let at = self.at + found;
            self.at = at + 1;
            if bytes[at] == b'\n' {
                self.end = self.at;
            } else {
                self.is_quoted = at == 0 || bytes[at - 1] == delimiter || bytes[at - 1] == b'\n';
            }
        }
        self.end
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use super::*;

    #[test]
    fn records_end_outside_of_quotes() {
        let end = |text: &str| Walk::default().last_end(text.as_bytes(), b',');
        assert_eq!(end("a,b\nc"), 4);
        assert_eq!(end("a,\"b\nc"), 0);
        assert_eq!(end("a,b\n\"c\nd\"\ne"), 10);
        // A quote inside a plain field is a letter like any other.
        assert_eq!(end("5\" pipe,b\nc"), 10);
        assert_eq!(end("\"a \"\" b\n\"\nc"), 10);
    }

    #[test]
    fn a_walk_goes_on_where_it_ended() {
        let text = "x,\"a\n\"\"b\"\"\n\",y\nz,\"\"\n";
        for cut in 0..text.len() {
            let mut walk = Walk::default();
            walk.last_end(&text.as_bytes()[..cut], b',');
            assert_eq!(walk.last_end(text.as_bytes(), b','), text.len(), "{cut}");
        }
    }

    #[test]
    fn pieces_are_the_file() {
        let text = "a,\"b\nb\"\n".repeat(1_200_000);
        let pieces: Vec<Vec<u8>> = Pieces::new(text.as_bytes(), b',').map(Result::unwrap).collect();
        assert!(pieces.len() > 1 && pieces.iter().all(|piece| piece.ends_with(b"\"\n")));
        assert_eq!(pieces.concat(), text.as_bytes());
        let last: Vec<Vec<u8>> = Pieces::new(&b"a\nb"[..], b',').map(Result::unwrap).collect();
        assert_eq!(last, [b"a\nb\n"]);
        assert_eq!(Pieces::new(&b""[..], b',').count(), 0);
    }
}
