//! Takes a file from a form, bounded in size and time.

use std::time::Duration;

use axum::extract::Multipart;
use axum::extract::multipart::MultipartError;

/// The largest file that is judged.
pub(crate) const MAX_FILE_BYTES: usize = 10 * 1024 * 1024;

/// How much of a larger upload is read and thrown away: a browser shows our answer only if it could send all it had.
pub(crate) const MAX_DRAINED_BYTES: usize = 64 * 1024 * 1024;

/// A file as it was handed in.
pub(crate) struct Upload {
    pub(crate) name: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

/// Why there is no file to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UploadFault {
    Nothing,
    TooLarge,
    TooSlow,
    Broken,
}

/// Reads the form's field `file`, within a time. What is too large is read on to a bound without being kept.
pub(crate) async fn receive(form: Multipart, patience: Duration) -> Result<Upload, UploadFault> {
    tokio::time::timeout(patience, read(form)).await.unwrap_or(Err(UploadFault::TooSlow))
}

async fn read(mut form: Multipart) -> Result<Upload, UploadFault> {
    while let Some(mut field) = form.next_field().await.map_err(fault)? {
        if field.name() != Some("file") {
            continue;
        }
        let name = field.file_name().map(shorten).filter(|name| !name.is_empty());
        let (mut bytes, mut total) = (Vec::new(), 0usize);
        while let Some(chunk) = field.chunk().await.map_err(fault)? {
            total = total.saturating_add(chunk.len());
            if total <= MAX_FILE_BYTES {
                bytes.extend_from_slice(&chunk);
            } else {
                bytes = Vec::new();
            }
        }
        return match total {
            // A browser sends an empty file where none was chosen.
            0 => Err(UploadFault::Nothing),
            total if total > MAX_FILE_BYTES => Err(UploadFault::TooLarge),
            _ => Ok(Upload { name, bytes }),
        };
    }
    Err(UploadFault::Nothing)
}

pub(crate) fn fault(error: MultipartError) -> UploadFault {
    if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        UploadFault::TooLarge
    } else {
        UploadFault::Broken
    }
}

/// A file name for the report: without a folder, and no longer than a line or two.
fn shorten(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name).trim();
    name.chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::body::Body;
    use axum::extract::DefaultBodyLimit;
    use axum::http::Request;
    use axum::routing::post;
    use tower::ServiceExt as _;

    use super::*;

    /// What [`receive`] makes of a form with one field.
    async fn upload(
        field: &str,
        file_name: &str,
        bytes: &[u8],
    ) -> Result<(Option<String>, usize), UploadFault> {
        let mut body = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{file_name}\"\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--edge--\r\n");
        let (tell, told) = tokio::sync::oneshot::channel();
        let tell = Arc::new(Mutex::new(Some(tell)));
        let app = Router::new().route(
            "/",
            post(async move |form: Multipart| {
                let received = receive(form, Duration::from_secs(60))
                    .await
                    .map(|upload| (upload.name, upload.bytes.len()));
                tell.lock().unwrap().take().unwrap().send(received).unwrap();
            })
            .layer(DefaultBodyLimit::max(MAX_DRAINED_BYTES)),
        );
        let request = Request::post("/")
            .header("content-type", "multipart/form-data; boundary=edge")
            .body(Body::from(body))
            .unwrap();
        app.oneshot(request).await.unwrap();
        told.await.unwrap()
    }

    #[tokio::test]
    async fn a_file_of_ten_mebibytes_is_taken_and_one_byte_more_is_not() {
        let bytes = vec![b'x'; MAX_FILE_BYTES + 1];
        let most = upload("file", "a.pdf", &bytes[1..]).await;
        assert_eq!(most, Ok((Some("a.pdf".to_owned()), MAX_FILE_BYTES)));
        assert_eq!(upload("file", "a.pdf", &bytes).await, Err(UploadFault::TooLarge));
    }

    #[tokio::test]
    async fn a_form_without_a_file_is_told_apart_from_a_file() {
        assert_eq!(upload("file", "", b"").await, Err(UploadFault::Nothing));
        assert_eq!(upload("other", "a.pdf", b"%PDF").await, Err(UploadFault::Nothing));
        let folders = upload("file", "C:\\证书\\张三.pdf", b"%PDF").await;
        assert_eq!(folders, Ok((Some("张三.pdf".to_owned()), 4)));
    }
}
