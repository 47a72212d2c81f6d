//! A log: records one behind the other in a file, each whole or not there at all.
//!
//! The file begins with eight bytes, `BKLOG1` and two zeros. A record is its length (`u32`, little-endian), the CRC-32 of
//! its bytes, and the bytes. [`Log::append`] returns when all of its records are on the disk. A process that is killed
//! while it writes leaves a torn tail behind: bytes that are no whole record. They were never acknowledged, and are cut
//! off when the log is opened.
//!
//! A log that has become too long is written anew under another name ([`Log::begin`]), takes what has come to the old one
//! meanwhile ([`Log::copy_from`]), and then takes its place ([`Log::publish`]): at any moment one of the two is whole.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

const MAGIC: &[u8; 8] = b"BKLOG1\0\0";
/// The longest record that is taken for one.
const LONGEST: u32 = 1 << 30;

/// A log that is open for writing.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
    /// Where the last whole record ends.
    end: u64,
    /// The name that the file has until it is whole.
    part: Option<PathBuf>,
    /// Whether the disk knows the file by its name.
    is_named: bool,
}

impl Log {
    /// Begins a log with its first record. A file that is there already is an error.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(path: &Path, first: &[u8]) -> Result<Self> {
        // Under another name until it is whole, so that a table is there or not.
        let mut log = Self::begin(path, "part", first)?;
        if path.exists() {
            log.abandon();
            return Err(Error::Io { path: path.to_owned(), source: std::io::ErrorKind::AlreadyExists.into() });
        }
        log.publish()?;
        log.name().map_err(|source| Error::Io { path: path.to_owned(), source })?;
        Ok(log)
    }

    /// Begins a log with its first record under a name of its own: the path's, with another extension.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn begin(path: &Path, extension: &str, first: &[u8]) -> Result<Self> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let part = path.with_extension(extension);
        let mut file = File::create(&part).map_err(io)?;
        file.write_all(MAGIC).map_err(io)?;
        let mut log = Self { path: path.to_owned(), file, end: MAGIC.len() as u64, part: Some(part), is_named: true };
        log.append(&[first])?;
        Ok(log)
    }

    /// Gives a log that was begun its place, whatever stands there. Should the disk not confirm the name, the next append
    /// waits for that first.
    ///
    /// # Errors
    /// [`Error::Io`]: what stood there still stands.
    pub fn publish(&mut self) -> Result<()> {
        let Some(part) = self.part.clone() else { return Ok(()) };
        self.sync()?;
        std::fs::rename(&part, &self.path).map_err(|source| Error::Io { path: self.path.clone(), source })?;
        (self.part, self.is_named) = (None, false);
        if let Err(error) = self.name() {
            tracing::warn!(%error, path = %self.path.display(), "the name of a log is not confirmed yet");
        }
        Ok(())
    }

    /// Waits until the disk knows the file by its name.
    fn name(&mut self) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent().filter(|_| !self.is_named) {
            File::open(folder)?.sync_all()?;
        }
        self.is_named = true;
        Ok(())
    }

    /// Waits until the disk has all records.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sync(&mut self) -> Result<()> {
        self.file.sync_all().map_err(|source| Error::Io { path: self.path.clone(), source })
    }

    /// Removes the file of a log that was begun and not published.
    pub fn abandon(self) {
        if let Some(part) = self.part {
            let _gone = std::fs::remove_file(part);
        }
    }

    /// Takes over the records of another log from a place on, at which a record begins. They are on the disk when the log is
    /// published.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn copy_from(&mut self, other: &Self, from: u64) -> Result<()> {
        let copy = || {
            let mut source = File::open(&other.path)?;
            source.seek(SeekFrom::Start(from))?;
            std::io::copy(&mut source.take(other.end - from), &mut &self.file)
        };
        let copied = copy().map_err(|source| Error::Io { path: self.path.clone(), source })?;
        self.end += copied;
        if copied == other.end - from {
            return Ok(());
        }
        Err(Error::Io { path: other.path.clone(), source: std::io::ErrorKind::UnexpectedEof.into() })
    }

    /// Opens a log, gives every record to `each`, and cuts a torn tail off. The bytes that were cut.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Format`] when the file is no log; what `each` returns.
    pub fn open(path: &Path, mut each: impl FnMut(Vec<u8>) -> Result<()>) -> Result<(Self, u64)> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let mut reader = BufReader::new(&file);
        let mut magic = [0; 8];
        if reader.read_exact(&mut magic).is_err() || magic != *MAGIC {
            return Err(Error::Format { path: path.to_owned(), reason: "not a log: its first bytes".to_owned() });
        }
        let mut end = MAGIC.len() as u64;
        while let Some(record) = read_record(&mut reader, length - end).map_err(io)? {
            end += 8 + record.len() as u64;
            each(record)?;
        }
        let torn = length - end;
        if torn > 0 {
            file.set_len(end).map_err(io)?;
            file.sync_all().map_err(io)?;
        }
        let mut log = Self { path: path.to_owned(), file, end, part: None, is_named: true };
        log.file.seek(SeekFrom::Start(end)).map_err(io)?;
        Ok((log, torn))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of all whole records.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.end
    }

    /// Writes records and waits until the disk has them. With an error none of them is in the log.
    ///
    /// # Errors
    /// [`Error::Io`], such as when the disk is full.
    pub fn append(&mut self, records: &[impl AsRef<[u8]>]) -> Result<()> {
        self.put(records, true)
    }

    /// As [`Log::append`], but nothing is waited for: for a log that is still to be published.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&mut self, records: &[impl AsRef<[u8]>]) -> Result<()> {
        self.put(records, false)
    }

    fn put(&mut self, records: &[impl AsRef<[u8]>], waits: bool) -> Result<()> {
        let written = self.try_append(records, waits);
        if written.is_err() {
            // What came of it is cut off, so that the next record stands where this one should have stood.
            let _kept = self.file.set_len(self.end).and_then(|()| self.file.seek(SeekFrom::Start(self.end)));
        }
        written.map(|end| self.end = end).map_err(|source| Error::Io { path: self.path.clone(), source })
    }

    fn try_append(&mut self, records: &[impl AsRef<[u8]>], waits: bool) -> std::io::Result<u64> {
        let mut bytes = Vec::with_capacity(records.iter().map(|record| 8 + record.as_ref().len()).sum());
        for record in records.iter().map(AsRef::as_ref) {
            let length = u32::try_from(record.len()).ok().filter(|&length| length <= LONGEST);
            let length = length.ok_or(std::io::ErrorKind::FileTooLarge)?;
            bytes.extend(length.to_le_bytes());
            bytes.extend(crc32fast::hash(record).to_le_bytes());
            bytes.extend(record);
        }
        self.file.write_all(&bytes)?;
        if waits {
            self.name()?;
            self.file.sync_data()?;
        }
        Ok(self.end + bytes.len() as u64)
    }
}

/// The next record, or none when what is left is no whole one.
fn read_record(reader: &mut impl Read, left: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut head = [0; 8];
    if left < 8 {
        return Ok(None);
    }
    reader.read_exact(&mut head)?;
    let [a, b, c, d, e, f, g, h] = head;
    let (length, sum) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
    if length > LONGEST || u64::from(length) > left - 8 {
        return Ok(None);
    }
    let mut record = vec![0; length as usize];
    reader.read_exact(&mut record)?;
    Ok((crc32fast::hash(&record) == sum).then_some(record))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use super::*;

    fn read(path: &Path) -> (Vec<Vec<u8>>, u64) {
        let mut records = Vec::new();
        let (_log, torn) = Log::open(path, |record| {
            records.push(record);
            Ok(())
        })
        .unwrap();
        (records, torn)
    }

    #[test]
    fn a_tail_torn_at_any_byte_is_cut_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.bklog");
        let mut log = Log::create(&path, b"first").unwrap();
        log.append(&[b"second".as_slice(), b"", b"fourth"]).unwrap();
        drop(log);
        let whole = std::fs::read(&path).unwrap();
        let records: [&[u8]; 4] = [b"first", b"second", b"", b"fourth"];
        assert_eq!(read(&path), (records.map(<[u8]>::to_vec).to_vec(), 0));
        let ends: Vec<usize> = records
            .iter()
            .scan(8, |end, record| {
                *end += 8 + record.len();
                Some(*end)
            })
            .collect();
        for cut in 8..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (found, torn) = read(&path);
            let kept = ends.iter().filter(|&&end| end <= cut).count();
            assert_eq!(found, records[..kept].iter().map(|record| record.to_vec()).collect::<Vec<_>>(), "{cut}");
            assert_eq!(torn as usize, cut - ends[..kept].last().copied().unwrap_or(8));
            // The next record stands right behind what was kept.
            let (mut log, _) = Log::open(&path, |_| Ok(())).unwrap();
            log.append(&[b"next"]).unwrap();
            assert_eq!(read(&path).0.last().unwrap(), b"next");
        }
        let mut damaged = whole.clone();
        let last = damaged.len() - 1;
        damaged[last] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        assert_eq!(read(&path).0.len(), 3);
    }

    #[test]
    fn a_log_written_anew_takes_what_came_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.bklog");
        let mut old = Log::create(&path, b"first").unwrap();
        old.append(&[b"long".as_slice(), b"story"]).unwrap();
        let from = old.bytes();
        let mut new = Log::begin(&path, "rewrite", b"first").unwrap();
        new.write(&[b"short"]).unwrap();
        old.append(&[b"meanwhile"]).unwrap();
        new.copy_from(&old, from).unwrap();
        // Until it is published the old one stands.
        assert_eq!(read(&path).0.len(), 4);
        new.publish().unwrap();
        new.append(&[b"after"]).unwrap();
        assert_eq!(read(&path).0, [b"first".as_slice(), b"short", b"meanwhile", b"after"]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        Log::begin(&path, "rewrite", b"no").unwrap().abandon();
        assert_eq!((read(&path).0.len(), std::fs::read_dir(folder.path()).unwrap().count()), (4, 1));
    }

    #[test]
    fn what_is_no_log_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.bklog");
        std::fs::write(&path, b"something else").unwrap();
        assert!(Log::open(&path, |_| Ok(())).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"something else");
        assert!(Log::create(&path, b"x").is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"something else");
    }
}
