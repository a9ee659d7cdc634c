//! The HTTP server: one address for both services, for people and for tests. Knows nothing of either service.

mod admin;
mod connection;
mod console_api;
mod sending;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, FromRequest as _, Multipart, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::form::Form;
use super::reply::{self, Call, Delivery, Reply};
use super::{Sandbox, SandboxError, Service};
use connection::{ConnectionFault, Connections, OpenConnections};

/// No request of either service comes near this.
const LARGEST_REQUEST: usize = 64 << 20;
/// The longest time that the state file may lag behind the state.
const SAVE_EVERY: Duration = Duration::from_millis(250);
/// The longest time that [`Serving::stop`] waits for clients to close their connections.
const PATIENCE: Duration = Duration::from_secs(2);

/// A sandbox being served. Dropping it stops the server without a last save.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    stop: CancellationToken,
    server: tokio::task::JoinHandle<()>,
    sandbox: Sandbox,
    open: OpenConnections,
}

impl Serving {
    /// The address that is listened on, with the real port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until whatever clients that are gone by now had sent is read and done. `false`: somebody keeps a
    /// connection open for longer than that should take.
    pub async fn drained(&self) -> bool {
        // Connections are accepted in turn: once this one is answered, none opened before it waits any more.
        if let Ok(mut last) = TcpStream::connect(self.address).await {
            let asked = last.write_all(b"GET / HTTP/1.0\r\n\r\n").await;
            let _ = asked.and(last.read_to_end(&mut Vec::new()).await);
        }
        let closed = async {
            while self.open.count() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, closed).await.is_ok()
    }

    /// Stops listening, breaks off answers that wait, and saves the state.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if tokio::time::timeout(PATIENCE, &mut self.server).await.is_err() {
            self.server.abort();
        }
        if let Err(error) = self.sandbox.save() {
            tracing::warn!(error = &error as &dyn std::error::Error, "the sandbox's state was not saved");
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[derive(Clone)]
struct Served {
    sandbox: Sandbox,
    stop: CancellationToken,
}

impl Sandbox {
    /// Serves both services on `listen`; port 0 takes a free one.
    ///
    /// # Errors
    /// [`SandboxError::Listen`] where the address cannot be had.
    pub async fn serve(&self, listen: SocketAddr) -> Result<Serving, SandboxError> {
        let refused = |source| SandboxError::Listen { address: listen, source };
        let listener = tokio::net::TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let stop = CancellationToken::new();
        let open = OpenConnections::default();
        let connections = Connections { listener, open: open.clone() };
        let served = Served { sandbox: self.clone(), stop: stop.clone() };
        let router = Router::new()
            .route("/", get(admin::explanation))
            .route("/_sandbox/journal", get(admin::journal).delete(admin::clear_journal))
            .route("/_sandbox/exam", get(admin::exam))
            .route("/_sandbox/groups", get(admin::groups))
            .route("/_sandbox/results", get(admin::results).post(admin::add_results))
            .route("/_sandbox/classin", get(admin::classin))
            .route("/_sandbox/classin/accounts", get(admin::accounts))
            .route("/_sandbox/classin/{deed}", axum::routing::post(console_api::deed))
            .route("/_sandbox/set", axum::routing::post(admin::set))
            .route("/_sandbox/sample-world", axum::routing::post(admin::sample_world))
            .route("/_sandbox/clear-faults", axum::routing::post(admin::clear_faults))
            .route("/_sandbox/switches", get(admin::switches))
            .fallback(service_call)
            .with_state(served);
        let service = router.into_make_service_with_connect_info::<ConnectionFault>();
        let stopped = stop.clone().cancelled_owned();
        let server = tokio::spawn(async move {
            let serving = axum::serve(connections, service).with_graceful_shutdown(stopped);
            if let Err(error) = serving.await {
                tracing::warn!(error = &error as &dyn std::error::Error, "the sandbox stopped serving");
            }
        });
        tokio::spawn(keep_saved(self.clone(), stop.clone()));
        Ok(Serving { address, stop, server, sandbox: self.clone(), open })
    }
}

/// Writes the state file a moment after the state has changed, until the server stops.
async fn keep_saved(sandbox: Sandbox, stop: CancellationToken) {
    if sandbox.0.state_file.is_none() {
        return;
    }
    while stop.run_until_cancelled(tokio::time::sleep(SAVE_EVERY)).await.is_some() {
        if !sandbox.world().unsaved {
            continue;
        }
        let saver = sandbox.clone();
        match tokio::task::spawn_blocking(move || saver.save()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the sandbox's state was not saved");
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "saving the sandbox's state broke off"
                );
            }
        }
    }
}

/// Any path that is not ours to explain: one of the services, or nothing.
async fn service_call(
    State(served): State<Served>,
    ConnectInfo(fate): ConnectInfo<ConnectionFault>,
    request: Request,
) -> Response {
    let path = request.uri().path();
    let service = if path.starts_with("/api/v1/") {
        Service::Exam
    } else if path.starts_with("/partner/") || path.starts_with("/lms/") {
        Service::ClassIn
    } else {
        let nothing = Reply::new(404, reply::Body::Text("404 page not found".to_owned()), "404");
        return sending::response(nothing, false, &served.stop);
    };
    let in_flight = served.sandbox.enter();
    let Some(call) = read_call(request).await else {
        let unread = Reply::new(400, reply::Body::Text("bad request".to_owned()), "400");
        return sending::response(unread, false, &served.stop);
    };
    let (mut reply, pack) = {
        let mut world = served.sandbox.world();
        let reply = world.answer(service, &call);
        let pack = service == Service::Exam && call.takes_gzip && world.switches.is(service, "gzip", "on");
        (reply, pack)
    };
    let busy = Busy(served.sandbox.clone(), std::mem::take(&mut reply.holds));
    if !reply.delay.is_zero()
        && served.stop.run_until_cancelled(tokio::time::sleep(reply.delay)).await.is_none()
    {
        reply.delivery = Delivery::Closed;
    }
    drop(busy);
    match reply.delivery {
        Delivery::Closed => fate.close(),
        Delivery::Reset => fate.reset(),
        Delivery::Whole | Delivery::Cut(_) | Delivery::Slow(_) | Delivery::Huge { .. } => {}
    }
    drop(in_flight);
    sending::response(reply, pack, &served.stop)
}

/// The resources that a call keeps busy; released also when the client goes away before the answer.
struct Busy(Sandbox, Vec<String>);

impl Drop for Busy {
    fn drop(&mut self) {
        if !self.1.is_empty() {
            let mut world = self.0.world();
            for hold in &self.1 {
                world.busy.remove(hold);
            }
        }
    }
}

/// Reads a request to its end; `None` where it breaks off or is absurdly large.
async fn read_call(request: Request) -> Option<Call> {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, LARGEST_REQUEST).await.ok()?;
    let kind = text_header(&parts.headers, header::CONTENT_TYPE);
    let call = Call {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: Form::parse(parts.uri.query().unwrap_or_default().as_bytes()),
        form: Form::default(),
        authorization: text_header(&parts.headers, header::AUTHORIZATION),
        host: text_header(&parts.headers, header::HOST),
        takes_gzip: text_header(&parts.headers, header::ACCEPT_ENCODING).contains("gzip"),
    };
    let form = if kind.starts_with("multipart/form-data") {
        multipart(Request::from_parts(parts, Body::from(bytes))).await?
    } else if kind.starts_with("application/x-www-form-urlencoded") {
        Form::parse(&bytes)
    } else {
        Form::default()
    };
    Some(Call { form, ..call })
}

fn text_header(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

async fn multipart(request: Request) -> Option<Form> {
    let mut parts = Multipart::from_request(request, &()).await.ok()?;
    let mut form = Form::default();
    while let Some(part) = parts.next_field().await.ok()? {
        let name = part.name().unwrap_or_default().to_owned();
        let bytes: Bytes = part.bytes().await.ok()?;
        form.push(name, String::from_utf8_lossy(&bytes).into_owned());
    }
    Some(form)
}
