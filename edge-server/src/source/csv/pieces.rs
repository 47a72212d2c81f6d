//! A CSV file cut into pieces of whole records, so that many threads can read them at once.
//!
//! A line break inside quotes ends no record. Whether a quote opens a field is known only from what stands before it, so
//! pieces are cut one after the other, by a walk that looks at quotes alone: it is much faster than reading fields.

use std::io::Read;

use memchr::{memchr, memchr2, memrchr};

/// Bytes that are read for one piece: few enough that a page costs little, and that a piece and its columns fit a cache.
const PIECE: usize = 1 << 20;
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

    /// Cuts the next piece, of which every record has its line break; false at the end. The piece's memory is used again.
    ///
    /// # Errors
    /// [`Cut`].
    pub(super) fn cut(&mut self, piece: &mut Piece) -> Result<bool, Cut> {
        piece.length = 0;
        piece.extend(&self.rest);
        self.rest.clear();
        let mut walk = Walk::default();
        let mut wanted = PIECE;
        loop {
            let end = piece.length + wanted;
            if piece.bytes.len() < end {
                // Room for a line break that the file's last line lacks.
                piece.bytes.resize(end + 1, 0);
            }
            while !self.ended && piece.length < end {
                match self.input.read(&mut piece.bytes[piece.length..end]) {
                    Ok(read) => {
                        self.ended = read == 0;
                        piece.length += read;
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(Cut::Io(error)),
                }
            }
            if self.ended {
                if piece.last().is_some_and(|&last| last != b'\n') {
                    piece.extend(b"\n");
                }
                return Ok(!piece.is_empty());
            }
            let end = walk.last_end(piece, self.delimiter);
            if end > 0 {
                self.rest.extend_from_slice(&piece[end..]);
                piece.length = end;
                return Ok(true);
            }
            if piece.length > LONGEST {
                return Err(Cut::TooLong);
            }
            wanted = piece.length;
        }
    }
}

/// Bytes of whole records, in memory that is used again for the next.
#[derive(Default)]
pub(super) struct Piece {
    bytes: Vec<u8>,
    length: usize,
}

impl Piece {
    /// Gives the memory away for a while.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.length = 0;
        std::mem::take(&mut self.bytes)
    }

    /// Takes it back, with so many bytes in it.
    pub(super) fn give(&mut self, bytes: Vec<u8>, length: usize) {
        (self.bytes, self.length) = (bytes, length);
    }

    fn extend(&mut self, more: &[u8]) {
        let end = self.length + more.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[self.length..end].copy_from_slice(more);
        self.length = end;
    }
}

impl std::ops::Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
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
        let cut = |text: &[u8]| -> Vec<Vec<u8>> {
            let (mut pieces, mut piece) = (Pieces::new(text, b','), Piece::default());
            std::iter::from_fn(|| pieces.cut(&mut piece).unwrap().then(|| piece.to_vec())).collect()
        };
        let pieces = cut(text.as_bytes());
        assert!(pieces.len() > 1 && pieces.iter().all(|piece| piece.ends_with(b"\"\n")));
        assert_eq!(pieces.concat(), text.as_bytes());
        assert_eq!(cut(b"a\nb"), [b"a\nb\n"]);
        assert!(cut(b"").is_empty());
    }
}
