//! Bodies: requests are read within limits, responses are made while they are sent.
//!
//! A streamed response comes from a blocking thread through a channel of a few chunks: a slow client holds
//! the thread back, a client that has gone ends it, and a source that fails midway cuts the connection, so
//! that a part is never taken for the whole.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use arrow_buffer::Buffer;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::limits::Limits;
use super::problem::Problem;
use crate::{Error, Result};

/// Chunks that wait for a slow client.
const WAITING_CHUNKS: usize = 4;
/// Smaller parts are joined before they are sent.
const CHUNK: usize = 64 << 10;
/// A chunk may be long: the client has so many times as long for one as it may be silent.
const CHUNK_PATIENCE: u32 = 4;

/// Reads a request's body of at most so many bytes, in at most so long.
pub(super) async fn read(body: Incoming, limit: usize, time: Duration) -> Result<Vec<u8>, Problem> {
    if body.size_hint().lower() > limit as u64 {
        return Err(Problem::too_large(limit));
    }
    tokio::time::timeout(time, collect(body, limit)).await.map_err(|_late| Problem::timeout())?
}

async fn collect(mut body: Incoming, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::bad_request(&error.to_string()))?;
        if let Some(data) = frame.data_ref() {
            if bytes.len() + data.len() > limit {
                return Err(Problem::too_large(limit));
            }
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes)
}

/// A response's body.
#[derive(Debug)]
pub(super) enum Body {
    /// All of it is here.
    Whole(Option<Bytes>),
    /// It is being made.
    Stream { first: Option<Bytes>, rest: mpsc::Receiver<Piece> },
}

/// What a producer sends.
#[derive(Debug)]
pub(super) enum Piece {
    Data(Bytes),
    /// The body is whole: without it the receiver takes the body for cut.
    End,
    Failed(Error),
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(Some(bytes))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Whole(Some(bytes.into()))
    }
}

impl Body {
    pub(super) const EMPTY: Self = Self::Whole(None);

    /// A body that `produce` writes on a blocking thread. Returns when the first chunk is there, so that an
    /// error before it can still be told by the status.
    ///
    /// # Errors
    /// What `produce` returns before its first chunk.
    pub(super) async fn produced(
        limits: &Limits,
        produce: impl FnOnce(&mut Sender) -> Result<()> + Send + 'static,
    ) -> Result<Self> {
        let (channel, mut rest) = mpsc::channel(WAITING_CHUNKS);
        let (patience, runtime) = (limits.write_time.saturating_mul(CHUNK_PATIENCE), Handle::current());
        tokio::task::spawn_blocking(move || {
            let mut sender = Sender { channel, waiting: Vec::new(), closed: false, patience, runtime };
            let last = match produce(&mut sender) {
                Ok(()) => {
                    sender.flush();
                    Piece::End
                }
                Err(error) => Piece::Failed(error),
            };
            sender.send(last);
        });
        match rest.recv().await {
            Some(Piece::Data(bytes)) => Ok(Self::Stream { first: Some(bytes), rest }),
            Some(Piece::End) => Ok(Self::EMPTY),
            Some(Piece::Failed(error)) => Err(error),
            None => Err(Error::Internal("the thread of the request broke down".to_owned())),
        }
    }
}

/// Where a producer writes.
#[derive(Debug)]
pub(super) struct Sender {
    channel: mpsc::Sender<Piece>,
    waiting: Vec<u8>,
    closed: bool,
    /// How long a chunk may wait for the client.
    patience: Duration,
    runtime: Handle,
}

impl Sender {
    /// Whether the client has gone: what is written from here on is lost.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Tells whether the client has gone, also while nothing is written.
    pub(super) fn gone(&self) -> impl Fn() -> bool + use<> {
        let channel = self.channel.clone();
        move || channel.is_closed()
    }

    /// Sends parts of a message, the large ones without a copy.
    pub(super) fn parts(&mut self, parts: Vec<Buffer>) {
        for part in parts {
            if part.len() < CHUNK {
                self.waiting.extend_from_slice(&part);
                if self.waiting.len() >= CHUNK {
                    self.flush();
                }
            } else {
                self.flush();
                self.send(Piece::Data(Bytes::from_owner(part)));
            }
        }
    }

    /// Sends what has been joined so far.
    pub(super) fn flush(&mut self) {
        if !self.waiting.is_empty() {
            let bytes = std::mem::take(&mut self.waiting);
            self.send(Piece::Data(bytes.into()));
        }
    }

    fn send(&mut self, piece: Piece) {
        if self.closed {
            return;
        }
        let piece = match self.channel.try_send(piece) {
            Ok(()) => return,
            Err(TrySendError::Closed(_)) => {
                self.closed = true;
                return;
            }
            Err(TrySendError::Full(piece)) => piece,
        };
        let channel = self.channel.clone();
        let sent = self.runtime.block_on(async { tokio::time::timeout(self.patience, channel.send(piece)).await });
        // After a chunk that was not taken nothing may follow: the body would look whole.
        self.closed = !matches!(sent, Ok(Ok(())));
    }
}

impl std::io::Write for &mut Sender {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.closed {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= CHUNK {
            Sender::flush(self);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Sender::flush(self);
        Ok(())
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Error>>> {
        let (first, rest) = match self.get_mut() {
            Self::Whole(bytes) => return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream { first, rest } => (first, rest),
        };
        if let Some(bytes) = first.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        rest.poll_recv(context).map(|piece| match piece {
            Some(Piece::Data(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Piece::End) => None,
            Some(Piece::Failed(error)) => {
                tracing::error!(%error, "a response was cut");
                Some(Err(error))
            }
            None => Some(Err(Error::Internal("the thread of the request broke down".to_owned()))),
        })
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Stream { .. } => SizeHint::default(),
        }
    }
}
