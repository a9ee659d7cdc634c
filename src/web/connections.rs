//! Connections that no client can keep for ever: so many at once, each for so long, none silent for longer. Where all are
//! taken, the one that has been silent for longest makes room: whoever connects and says nothing keeps nobody out.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// After a failed accept (no descriptor is left, say) it is tried again.
const AFTER_A_FAILED_ACCEPT: Duration = Duration::from_secs(1);

/// What clients may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections at once, and one more for which room is made. Far below the descriptors that runs need.
    pub(super) connections: usize,
    /// How long a connection may be silent, a request's head cut off in its midst included.
    pub(super) silence: Duration,
    /// How long a connection lives: a client that sends a byte now and then is none of ours.
    pub(super) life: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let silence = Duration::from_secs(10);
        Self { connections: 32, silence, life: Duration::from_secs(60) }
    }
}

/// The connections that are open.
#[derive(Debug, Default)]
struct Open {
    last: u64,
    /// Each with the moment of its last sign of life, and how to end it.
    connections: BTreeMap<u64, (Instant, CancellationToken)>,
}

impl Open {
    /// Ends the one that has been silent for longest. It is not counted any more, though it takes a moment to be gone.
    fn shed(&mut self) {
        let silent = self.connections.iter().min_by_key(|(_, (last, _))| *last).map(|(number, _)| *number);
        if let Some((_, end)) = silent.and_then(|number| self.connections.remove(&number)) {
            end.cancel();
        }
    }
}

/// A handle on the connections that are open.
#[derive(Clone, Debug, Default)]
struct Connections(Arc<Mutex<Open>>);

impl Connections {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self) -> Registered {
        let end = CancellationToken::new();
        let mut open = self.open();
        open.last += 1;
        let number = open.last;
        open.connections.insert(number, (Instant::now(), end.clone()));
        drop(open);
        Registered { connections: self.clone(), number, shed: Box::pin(end.cancelled_owned()) }
    }
}

/// One connection among the others, until it is dropped.
#[derive(Debug)]
struct Registered {
    connections: Connections,
    number: u64,
    /// When it must make room.
    shed: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Registered {
    fn note_progress(&self, now: Instant) {
        if let Some((last, _)) = self.connections.open().connections.get_mut(&self.number) {
            *last = now;
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.connections.open().connections.remove(&self.number);
    }
}

/// Accepts as many connections as the limits allow.
#[derive(Debug)]
pub(super) struct LimitedListener {
    listener: TcpListener,
    places: Arc<Semaphore>,
    connections: Connections,
    limits: Limits,
}

impl LimitedListener {
    pub(super) fn new(listener: TcpListener, limits: Limits) -> Self {
        let places = Arc::new(Semaphore::new(limits.connections));
        Self { listener, places, connections: Connections::default(), limits }
    }

    /// A place for one more, from whoever has been silent for longest where none is free.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        let places = Arc::clone(&self.places);
        match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => Some(place),
            Err(_) => {
                self.connections.open().shed();
                places.acquire_owned().await.ok()
            }
        }
    }
}

impl Listener for LimitedListener {
    type Io = LimitedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (LimitedStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    // One at a time: no more than one is accepted beyond the places.
                    let place = self.place().await;
                    let registered = self.connections.enter();
                    return (LimitedStream::new(stream, place, registered, self.limits), peer);
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection could not be accepted");
                    sleep(AFTER_A_FAILED_ACCEPT).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends by itself.
#[derive(Debug)]
pub(super) struct LimitedStream {
    stream: TcpStream,
    /// When it has been silent for too long, or has lived for long enough.
    end: Pin<Box<Sleep>>,
    last: Instant,
    silence: Duration,
    registered: Registered,
    _place: Option<OwnedSemaphorePermit>,
}

impl LimitedStream {
    fn new(
        stream: TcpStream,
        place: Option<OwnedSemaphorePermit>,
        registered: Registered,
        limits: Limits,
    ) -> Self {
        let now = Instant::now();
        let Limits { connections: _, silence, life } = limits;
        let end = Box::pin(tokio::time::sleep_until(now + silence.min(life)));
        Self { stream, end, last: now + life, silence, registered, _place: place }
    }

    /// Our end of it.
    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let took_too_long = self.end.as_mut().poll(context).is_ready();
        if took_too_long || self.registered.shed.as_mut().poll(context).is_ready() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the client took too long"));
        }
        Ok(())
    }

    /// It was not silent.
    fn note_progress(&mut self) {
        let now = Instant::now();
        self.registered.note_progress(now);
        self.end.as_mut().reset((now + self.silence).min(self.last));
    }
}

impl AsyncRead for LimitedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() {
            self.note_progress();
        }
        read
    }
}

impl AsyncWrite for LimitedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_ready() {
            self.note_progress();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
