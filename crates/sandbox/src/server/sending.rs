//! From a [`Reply`] to an HTTP response, cut, slow or swollen where a fault says so.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream::{self, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::super::gzip;
use super::super::moment;
use super::super::reply::{self, Delivery, Reply};

/// Long enough for the bytes before it to leave; the server drops unsent bytes when a body fails.
const BEFORE_THE_CUT: Duration = Duration::from_millis(30);
const BLANKS_AT_ONCE: u64 = 1 << 16;

type Piece = Result<Bytes, std::io::Error>;

/// Builds the response; `pack` asks for gzip.
pub(super) fn response(reply: Reply, pack: bool, stop: &CancellationToken) -> Response {
    let (kind, mut bytes) = match reply.body {
        reply::Body::Json(json, escaping) => {
            ("application/json; charset=utf-8", json.render(escaping).into_bytes())
        }
        reply::Body::Text(text) => ("text/plain; charset=utf-8", text.into_bytes()),
        reply::Body::Html(text) => ("text/html; charset=utf-8", text.into_bytes()),
    };
    let bomb = matches!(reply.delivery, Delivery::Huge { gzip: true, .. });
    let packed = if pack && reply.delivery == Delivery::Whole { gzip::wrap(&bytes).ok() } else { None };
    let is_packed = bomb || packed.is_some();
    bytes = packed.unwrap_or(bytes);
    let length = bytes.len();
    let mut response = Response::new(match reply.delivery {
        Delivery::Whole | Delivery::Closed | Delivery::Reset => Body::from(bytes),
        Delivery::Cut(at) => {
            let half = u64::try_from(length / 2).unwrap_or(0);
            Body::from_stream(cut(bytes, at.unwrap_or(half)))
        }
        Delivery::Slow(rate) => Body::from_stream(slow(bytes, rate, stop.clone())),
        Delivery::Huge { bytes: blanks, gzip: true } => Body::from_stream(packed_blanks(blanks)),
        Delivery::Huge { bytes: blanks, gzip: false } => Body::from_stream(blanks_before(blanks, bytes)),
    });
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if is_packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if matches!(reply.delivery, Delivery::Cut(_) | Delivery::Slow(_)) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    if let Some(seconds) = reply.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if reply.date_offset_s != 0
        && let Some(date) = moment::http_date(moment::now_s().saturating_add(reply.date_offset_s))
        && let Ok(date) = HeaderValue::from_str(&date)
    {
        headers.insert(header::DATE, date);
    }
    if let Some(location) = reply.location {
        headers.insert(header::LOCATION, HeaderValue::from_static(location));
    }
    response
}

/// The first bytes, then a broken connection; at least one byte is missing.
fn cut(mut bytes: Vec<u8>, at: u64) -> impl stream::Stream<Item = Piece> + Send {
    let most = bytes.len().saturating_sub(1);
    bytes.truncate(usize::try_from(at).map_or(most, |at| at.min(most)));
    stream::unfold(Some(bytes), |left| async move {
        match left {
            Some(bytes) if !bytes.is_empty() => Some((Ok(Bytes::from(bytes)), Some(Vec::new()))),
            Some(_) => {
                tokio::time::sleep(BEFORE_THE_CUT).await;
                Some((Err(std::io::ErrorKind::BrokenPipe.into()), None))
            }
            None => None,
        }
    })
}

/// Ten pieces a second.
fn slow(bytes: Vec<u8>, rate: u64, stop: CancellationToken) -> impl stream::Stream<Item = Piece> + Send {
    let piece = usize::try_from(rate.div_ceil(10)).unwrap_or(usize::MAX);
    stream::unfold((Bytes::from(bytes), stop), move |(mut left, stop)| async move {
        if left.is_empty() {
            return None;
        }
        if stop.run_until_cancelled(tokio::time::sleep(Duration::from_millis(100))).await.is_none() {
            return Some((Err(std::io::ErrorKind::BrokenPipe.into()), (Bytes::new(), stop)));
        }
        let next = left.split_to(piece.min(left.len()));
        Some((Ok(next), (left, stop)))
    })
}

fn blanks_before(blanks: u64, bytes: Vec<u8>) -> impl stream::Stream<Item = Piece> + Send {
    let block = Bytes::from(vec![b' '; usize::try_from(BLANKS_AT_ONCE).unwrap_or(1)]);
    stream::unfold((blanks, Some(Bytes::from(bytes))), move |(left, tail)| {
        let block = block.clone();
        async move {
            if left == 0 {
                return tail.map(|tail| (Ok(tail), (0, None)));
            }
            let now = left.min(BLANKS_AT_ONCE);
            let piece = block.slice(..usize::try_from(now).unwrap_or(0));
            Some((Ok(piece), (left - now, tail)))
        }
    })
}

/// The packed stream has no end: a client that unpacks it that far should have stopped long before.
fn packed_blanks(blanks: u64) -> impl stream::Stream<Item = Piece> + Send {
    let step = gzip::bomb_step().map(Bytes::from);
    let unpacked = u64::try_from(gzip::BLANKS_PER_STEP).unwrap_or(1);
    let steps = usize::try_from(blanks.div_ceil(unpacked)).unwrap_or(usize::MAX);
    let body = stream::repeat_with(move || match &step {
        Ok(step) => Ok(step.clone()),
        Err(error) => Err(error.kind().into()),
    });
    stream::iter([Ok(Bytes::from(gzip::bomb_start()))]).chain(body.take(steps))
}
