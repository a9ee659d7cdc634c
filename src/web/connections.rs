//! Connections that no client can keep for ever: so many at once, each for so long, none silent for longer.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// After a failed accept (no descriptor is left, say) it is tried again.
const AFTER_A_FAILED_ACCEPT: Duration = Duration::from_secs(1);

/// What clients may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections at once; others wait in the system's queue. Far below the descriptors that runs need.
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

/// Accepts as many connections as the limits allow.
#[derive(Debug)]
pub(super) struct LimitedListener {
    listener: TcpListener,
    places: Arc<Semaphore>,
    limits: Limits,
}

impl LimitedListener {
    pub(super) fn new(listener: TcpListener, limits: Limits) -> Self {
        Self { listener, places: Arc::new(Semaphore::new(limits.connections)), limits }
    }
}

impl Listener for LimitedListener {
    type Io = LimitedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (LimitedStream, SocketAddr) {
        loop {
            // The place first: who has none is not accepted, and costs no descriptor.
            let place = Arc::clone(&self.places).acquire_owned().await.ok();
            match self.listener.accept().await {
                Ok((stream, peer)) => return (LimitedStream::new(stream, place, self.limits), peer),
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
    _place: Option<OwnedSemaphorePermit>,
}

impl LimitedStream {
    fn new(stream: TcpStream, place: Option<OwnedSemaphorePermit>, limits: Limits) -> Self {
        let now = Instant::now();
        let Limits { connections: _, silence, life } = limits;
        let end = Box::pin(tokio::time::sleep_until(now + silence.min(life)));
        Self { stream, end, last: now + life, silence, _place: place }
    }

    /// Our end of it.
    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.end.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::Error::new(io::ErrorKind::TimedOut, "the client took too long")),
            Poll::Pending => Ok(()),
        }
    }

    /// It was not silent.
    fn note_progress(&mut self) {
        let end = (Instant::now() + self.silence).min(self.last);
        self.end.as_mut().reset(end);
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
