//! One connection: how long it may be idle, how long a head may take to come, and how long a client may leave an answer
//! unread. The same for plain and for encrypted connections, for HTTP/1.1 and for HTTP/2.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::limits::Limits;

/// What goes on in a connection; times are milliseconds since it began.
#[derive(Debug)]
pub(super) struct Activity {
    begin: Instant,
    running: AtomicUsize,
    /// When the last answer ended.
    idle_since: AtomicU64,
    /// When a head began to come, or nothing.
    head_since: AtomicU64,
    /// Answers of HTTP/2 take turns; its bytes between are not heads alone.
    is_http2: AtomicBool,
    /// A WebSocket has rules of its own.
    is_upgraded: AtomicBool,
    /// The client has been given up because its head did not come, and is to be told.
    is_late: AtomicBool,
    reader: AtomicWaker,
}

/// What a client is told whose head did not come in time.
const LATE: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-type: application/problem+json\r\n\
    content-length: 108\r\n\r\n{\"type\":\"about:blank\",\"title\":\"too slow\",\"status\":408,\
    \"detail\":\"the head of a request did not come in time\"}";

/// Why a connection is closed whose client began a head and did not end it.
pub(super) const LATE_HEAD: &str = "a head did not come in time";

/// No head is coming.
const NO_HEAD: u64 = u64::MAX;

/// A request that is being answered; the connection is not idle as long as this lives.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Activity>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.idle_since.store(self.0.now(), Ordering::Relaxed);
        self.0.running.fetch_sub(1, Ordering::Release);
    }
}

/// What is to be done with a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// To look again after so long.
    Look(Duration),
    /// To close it, and why.
    Close(&'static str),
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            begin: Instant::now(),
            running: AtomicUsize::new(0),
            idle_since: AtomicU64::new(0),
            head_since: AtomicU64::new(NO_HEAD),
            is_http2: AtomicBool::new(false),
            is_upgraded: AtomicBool::new(false),
            is_late: AtomicBool::new(false),
            reader: AtomicWaker::new(),
        })
    }

    fn now(&self) -> u64 {
        self.begin.elapsed().as_millis() as u64
    }

    /// A request's head has come.
    pub(super) fn request(self: &Arc<Self>, is_http2: bool) -> InFlight {
        self.running.fetch_add(1, Ordering::Acquire);
        self.head_since.store(NO_HEAD, Ordering::Relaxed);
        self.is_http2.fetch_or(is_http2, Ordering::Relaxed);
        InFlight(self.clone())
    }

    /// The connection is a WebSocket from here on.
    pub(super) fn upgrade(&self) {
        self.is_upgraded.store(true, Ordering::Relaxed);
    }

    /// Tells a client of HTTP/1.1 that its head did not come in time, and reads no more. False when there is nobody to tell.
    pub(super) fn tell_late(&self) -> bool {
        let can = !self.is_http2.load(Ordering::Relaxed) && !self.is_late.swap(true, Ordering::Relaxed);
        self.reader.wake();
        can
    }

    fn came(&self) {
        if self.running.load(Ordering::Acquire) == 0 && !self.is_http2.load(Ordering::Relaxed) {
            let _first = self.head_since.compare_exchange(NO_HEAD, self.now(), Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Whether the connection may go on.
    pub(super) fn verdict(&self, limits: &Limits) -> Verdict {
        let now = self.now();
        let left = |since: u64, time: Duration| time.saturating_sub(Duration::from_millis(now.saturating_sub(since)));
        if self.running.load(Ordering::Acquire) > 0 {
            return Verdict::Look(limits.idle_time.min(limits.head_time));
        }
        let (left, why) = match self.head_since.load(Ordering::Relaxed) {
            NO_HEAD => {
                let left = left(self.idle_since.load(Ordering::Relaxed), limits.idle_time);
                // A head may begin to come meanwhile, and has less time.
                return match left.is_zero() {
                    true => Verdict::Close("it was idle"),
                    false => Verdict::Look(left.min(limits.head_time)),
                };
            }
            since => (left(since, limits.head_time), LATE_HEAD),
        };
        if left.is_zero() { Verdict::Close(why) } else { Verdict::Look(left) }
    }
}

/// A stream that is watched: what comes is noted, and what is not taken in time ends it.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    write_time: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    /// What is still to be told to a client whose head did not come.
    late: &'static [u8],
    has_read: bool,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>, limits: &Limits) -> Self {
        Self { stream, activity, write_time: limits.write_time, stalled: None, late: LATE, has_read: false }
    }

    /// Passes a write's outcome on; one that waits too long fails.
    fn patient<T>(&mut self, context: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        if self.activity.is_upgraded.load(Ordering::Relaxed) {
            return outcome;
        }
        let sleep = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.write_time)));
        match sleep.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "an answer was not read"))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    /// Writes what a client is told whose head did not come; then it is as if it had ended.
    fn tell(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.late.is_empty() {
            match Pin::new(&mut self.stream).poll_write(context, self.late) {
                Poll::Ready(Ok(written)) if written > 0 => self.late = &self.late[written..],
                Poll::Pending => return Poll::Pending,
                Poll::Ready(_) => break,
            }
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Watched<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.activity.reader.register(context.waker());
        if this.activity.is_late.load(Ordering::Relaxed) {
            return this.tell(context);
        }
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(context, buffer);
        if outcome.is_ready() && buffer.filled().len() > before {
            // A client that begins so speaks HTTP/2, and would not understand.
            if !std::mem::replace(&mut this.has_read, true) && buffer.filled()[before..].starts_with(b"PRI") {
                this.late = &[];
            }
            this.activity.came();
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.patient(context, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(context, bytes);
        this.patient(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_flush(context);
        this.patient(context, outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_shutdown(context);
        this.patient(context, outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_less_time_than_an_idle_connection() {
        let limits =
            Limits { idle_time: Duration::from_secs(60), head_time: Duration::from_millis(20), ..Limits::default() };
        let activity = Activity::new();
        assert!(matches!(activity.verdict(&limits), Verdict::Look(_)));
        activity.came();
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(activity.verdict(&limits), Verdict::Close("a head did not come in time"));
        let running = activity.request(false);
        assert!(matches!(activity.verdict(&limits), Verdict::Look(_)));
        drop(running);
        assert!(matches!(activity.verdict(&limits), Verdict::Look(_)));
        let limits = Limits { idle_time: Duration::from_millis(10), ..limits };
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(activity.verdict(&limits), Verdict::Close("it was idle"));
    }
}
