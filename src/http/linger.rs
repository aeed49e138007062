//! A refused body is read on for a while: most clients send all of it before they look at the answer, and a closed
//! connection would take the answer from them.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::header::EXPECT;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};

/// Most bytes that are read for nothing.
const MOST: usize = 32 * 1024 * 1024;

/// For how long at most.
const LONGEST: Duration = Duration::from_secs(5);

/// Lets the body of a request linger when its handler leaves it unread.
pub(crate) fn let_linger(request: Request) -> Request {
    // Who waits for 100 Continue has not begun to send, and most requests have no body.
    if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
        return request;
    }
    request.map(|body| Body::new(Lingering { body: Some(body) }))
}

struct Lingering {
    body: Option<Body>,
}

impl hyper::body::Body for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, |body| body.size_hint())
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(LONGEST, drain(body)));
        }
    }
}

async fn drain(mut body: Body) {
    let mut left = MOST;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::StreamExt as _;

    use super::*;

    fn counted(pieces: usize) -> (Body, Arc<AtomicUsize>, tokio::sync::oneshot::Receiver<()>) {
        let taken = Arc::new(AtomicUsize::new(0));
        let (gone, end) = tokio::sync::oneshot::channel();
        let count = taken.clone();
        // The sender goes with the stream: the receiver learns when the body is dropped.
        let stream = futures_util::stream::iter(0..pieces).map(move |_| {
            let _ = &gone;
            count.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from_static(&[0; 1024]))
        });
        (Body::from_stream(stream), taken, end)
    }

    #[tokio::test]
    async fn what_is_left_unread_is_read_to_its_end() {
        let (body, taken, end) = counted(100);
        drop(let_linger(Request::new(body)));
        assert!(end.await.is_err());
        assert_eq!(taken.load(Ordering::Relaxed), 100);
    }

    #[tokio::test]
    async fn a_body_without_end_is_given_up() {
        let (body, taken, end) = counted(1 << 20);
        drop(let_linger(Request::new(body)));
        assert!(end.await.is_err());
        assert_eq!(taken.load(Ordering::Relaxed), MOST / 1024 + 1);
    }

    #[tokio::test]
    async fn who_waits_for_leave_is_not_made_to_send() {
        let (body, taken, end) = counted(100);
        let mut request = Request::new(body);
        request.headers_mut().insert(EXPECT, "100-continue".parse().unwrap());
        drop(let_linger(request));
        assert!(end.await.is_err());
        assert_eq!(taken.load(Ordering::Relaxed), 0);
    }
}
