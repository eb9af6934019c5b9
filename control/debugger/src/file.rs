//! Endpoints of tests: what would be a body is appended to a file, a line feed after it.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use http_body_util::BodyExt as _;

use crate::body::RequestBody;
use crate::error::SendError;

/// Appends a body once it is complete, in one write, so that bodies do not mix.
pub(crate) async fn append(path: &Path, body: RequestBody) -> Result<(), SendError> {
    let failed = |reason: &str| SendError::Failed {
        url: format!("file://{}", path.display()),
        reason: reason.to_owned(),
    };
    let body = body.collect().await.map_err(|error| failed(&error.to_string()))?;
    let mut bytes = body.to_bytes().to_vec();
    bytes.push(b'\n');
    let target = path.to_owned();
    let write = move || File::options().create(true).append(true).open(target)?.write_all(&bytes);
    let written = tokio::task::spawn_blocking(write).await;
    let written = written.map_err(|_join| failed("the runtime is shutting down"))?;
    written.map_err(|source| SendError::File { path: path.to_owned(), source })
}
