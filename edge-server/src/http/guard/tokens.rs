//! Tokens: who may ask, and whether he may change anything.
//!
//! Only hashes are kept. A token that comes is hashed and compared with each of them in constant time, so that neither the
//! time of the answer nor memory that leaks tells a token; and no message holds one. A file is read again when it changes.
//!
//! One token a line, with a name and a scope before it if there are any: `TOKEN`, `name:TOKEN`, `name:read:TOKEN` or
//! `name:write:TOKEN`. Without a scope a token may read and write. Lines that begin with `#` are left out.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{Error, Result};

/// Shorter tokens could be guessed.
const SHORTEST: usize = 16;
const LONGEST: usize = 1_024;
/// A longer file is no file of tokens.
const MAX_FILE: u64 = 4 << 20;

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Reading only.
    Read,
    /// Changing only.
    Write,
    /// Both.
    All,
}

impl Scope {
    /// Whether a token of this scope may do what changes something, or else what only reads.
    #[must_use]
    pub fn allows(self, changes: bool) -> bool {
        matches!((self, changes), (Self::All, _) | (Self::Read, false) | (Self::Write, true))
    }
}

/// Whom a token stands for.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// The name before the token, or its place in the list.
    pub name: Arc<str>,
    /// What it is good for.
    pub scope: Scope,
    /// A part of the hash: the same for the same token.
    pub(crate) mark: u64,
}

#[derive(Debug)]
struct Known {
    hash: [u8; 32],
    bearer: Bearer,
}

/// The state of a file, by which a change is seen.
type Seen = Option<(u64, SystemTime)>;

/// All tokens that the server takes.
#[derive(Debug)]
pub struct Tokens {
    file: Option<PathBuf>,
    /// Those that did not come from a file.
    fixed: Vec<Arc<Known>>,
    known: RwLock<(Vec<Arc<Known>>, Seen)>,
}

impl Tokens {
    /// The tokens of a file and of the environment.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Tokens`] with the line at fault, or when there is no token at all.
    pub fn open(file: Option<&Path>, environment: Option<&str>) -> Result<Self> {
        let fixed = match environment {
            Some(text) => parse(text.split([',', ' ', '\t', '\r', '\n']), "BODKIN_TOKENS")?,
            None => Vec::new(),
        };
        let tokens = Self { file: file.map(Path::to_owned), fixed, known: RwLock::default() };
        tokens.reload()?;
        if tokens.is_empty() {
            let place = file.map_or_else(|| "BODKIN_TOKENS".to_owned(), |file| file.display().to_string());
            return Err(Error::Tokens { place, line: 0, reason: "there is no token; nobody could ask anything" });
        }
        Ok(tokens)
    }

    /// Number of tokens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.read().unwrap_or_else(PoisonError::into_inner).0.len()
    }

    /// Whether there is no token, so that nobody may ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads the file again. If it is at fault, the tokens stay as they were.
    ///
    /// # Errors
    /// As [`Tokens::open`].
    pub fn reload(&self) -> Result<()> {
        let mut known = self.fixed.clone();
        let mut seen = None;
        if let Some(path) = &self.file {
            seen = state(path);
            known.extend(read(path)?);
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = (known, seen);
        Ok(())
    }

    /// Whether the file is another than the one that was read.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        let seen = self.known.read().unwrap_or_else(PoisonError::into_inner).1;
        self.file.as_deref().is_some_and(|path| state(path) != seen)
    }

    /// Whom a token stands for. Every token is compared, whether one fits or not.
    #[must_use]
    pub fn find(&self, token: &[u8]) -> Option<Bearer> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = None;
        for one in &known.0 {
            if bool::from(one.hash.ct_eq(&hash)) {
                found = Some(one.bearer.clone());
            }
        }
        found
    }
}

fn state(path: &Path) -> Seen {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

fn read(path: &Path) -> Result<Vec<Arc<Known>>> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let metadata = std::fs::metadata(path).map_err(io)?;
    let place = path.display().to_string();
    if metadata.len() > MAX_FILE {
        return Err(Error::Tokens { place, line: 0, reason: "the file is too long to be a list of tokens" });
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if metadata.permissions().mode() & 0o077 != 0 {
            tracing::warn!(path = %path.display(), "the file of tokens can be read by others; chmod 600 helps");
        }
    }
    let text = std::fs::read_to_string(path).map_err(io)?;
    parse(text.lines(), &place)
}

fn parse<'a>(lines: impl Iterator<Item = &'a str>, place: &str) -> Result<Vec<Arc<Known>>> {
    let mut known: Vec<Arc<Known>> = Vec::new();
    for (index, line) in lines.enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |reason| Error::Tokens { place: place.to_owned(), line: index + 1, reason };
        let parts: Vec<&str> = line.split(':').collect();
        let (name, scope, token) = match parts.as_slice() {
            [token] => (None, Scope::All, *token),
            [name, token] => (Some(*name), Scope::All, *token),
            [name, "read", token] => (Some(*name), Scope::Read, *token),
            [name, "write", token] => (Some(*name), Scope::Write, *token),
            _ => return Err(wrong("expected TOKEN, name:TOKEN, name:read:TOKEN or name:write:TOKEN")),
        };
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._~+/=".contains(letter);
        if !token.chars().all(plain) {
            return Err(wrong("a token is made of letters, digits and - . _ ~ + / ="));
        }
        if !(SHORTEST..=LONGEST).contains(&token.len()) {
            return Err(wrong("a token has 16 to 1,024 characters; `openssl rand -hex 32` makes one"));
        }
        let named = |name: &str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._ ".contains(letter));
        if name.is_some_and(|name| name.is_empty() || name.len() > 100 || !named(name)) {
            return Err(wrong("a name is made of letters, digits, blanks and - . _"));
        }
        let hash: [u8; 32] = Sha256::digest(token).into();
        if known.iter().any(|one| one.hash == hash) {
            return Err(wrong("the same token stands there twice"));
        }
        let name = name.map_or_else(|| format!("token {}", known.len() + 1), str::to_owned).into();
        let mark = hash.iter().take(8).fold(0, |mark, &byte| mark << 8 | u64::from(byte));
        known.push(Arc::new(Known { hash, bearer: Bearer { name, scope, mark } }));
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbb";

    #[test]
    fn lines_are_tokens_with_names_and_scopes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        std::fs::write(&path, format!("# who\n\nviewer:read:{A}\nfeed:write:{B}\r\n  cccccccccccccccc+/==  \n"))
            .unwrap();
        let tokens = Tokens::open(Some(&path), Some("env:dddddddddddddddd")).unwrap();
        assert_eq!(tokens.len(), 4);
        let found = |token: &str| tokens.find(token.as_bytes()).map(|bearer| (bearer.name.to_string(), bearer.scope));
        assert_eq!(found(A), Some(("viewer".to_owned(), Scope::Read)));
        assert_eq!(found(B), Some(("feed".to_owned(), Scope::Write)));
        assert_eq!(found("cccccccccccccccc+/=="), Some(("token 3".to_owned(), Scope::All)));
        assert_eq!(found("dddddddddddddddd"), Some(("env".to_owned(), Scope::All)));
        assert!(found("aaaaaaaaaaaaaaaaaaa").is_none() && found("").is_none() && found("viewer").is_none());
    }

    #[test]
    fn faults_are_told_by_line_and_without_the_token() {
        let told = |text: &str| {
            let error = Tokens::open(None, Some(text)).unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(!said.contains("secret"), "{said}");
            said
        };
        assert!(told("secretsecret").contains("16 to 1,024"));
        assert!(told("secretsecretsecret!").contains("letters, digits"));
        assert!(told("a:admin:secretsecretsecret").contains("expected TOKEN"));
        assert!(told("secretsecretsecret,secretsecretsecret").contains("BODKIN_TOKENS, line 2"));
        assert!(told("").contains("no token"));
        assert!(!format!("{:?}", Tokens::open(None, Some(A)).unwrap()).contains(A));
    }

    #[test]
    fn a_file_that_is_at_fault_leaves_the_tokens_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        std::fs::write(&path, A).unwrap();
        let tokens = Tokens::open(Some(&path), None).unwrap();
        assert!(!tokens.has_changed());
        std::fs::write(&path, "short").unwrap();
        assert!(tokens.has_changed() && tokens.reload().is_err() && tokens.find(A.as_bytes()).is_some());
        std::fs::write(&path, [B, "\n"].concat()).unwrap();
        tokens.reload().unwrap();
        assert!(tokens.find(A.as_bytes()).is_none() && tokens.find(B.as_bytes()).is_some() && !tokens.has_changed());
    }
}
