//! What a client gets. spec: remote-config §6.3

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Serialize, Serializer};

use super::request::CachedFile;
use crate::message::Client;
use crate::uptane::{Repositories, Served};

/// The body of an answer; what is empty is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Answer {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roots: Vec<Base64>,
    #[serde(skip_serializing_if = "Base64::is_empty")]
    targets: Base64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    target_files: Vec<AnswerFile>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    client_configs: Vec<String>,
    /// 1 tells the client to forget everything.
    #[serde(skip_serializing_if = "is_zero")]
    config_status: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct AnswerFile {
    path: String,
    raw: Base64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Base64(Bytes);

impl Base64 {
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(status: &u8) -> bool {
    *status == 0
}

/// Why a client cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct AnswerError(pub(crate) String);

impl Answer {
    /// Tells a client that nothing it has is valid any more.
    pub(crate) fn expired(repositories: &Repositories) -> Self {
        Self { targets: Base64(targets(repositories)), config_status: 1, ..Self::default() }
    }

    /// The body.
    pub(crate) fn body(&self) -> Bytes {
        // Of values that all have a JSON form.
        Bytes::from(serde_json::to_vec(self).unwrap_or_else(|_| b"{}".to_vec()))
    }
}

/// The configurations of a client, in the order of their paths.
pub(crate) fn matching<'r>(
    repositories: &'r Repositories,
    client: &Client,
    now_secs: i64,
) -> Result<Vec<(&'r str, &'r Served)>, AnswerError> {
    let mut found = Vec::new();
    for (path, served) in &repositories.served {
        let is_alive = served.expires_secs == 0 || served.expires_secs > now_secs;
        if !is_alive || !client.products.contains(&served.product) {
            continue;
        }
        let predicates = served.predicates.as_ref().map_err(|why| AnswerError(why.clone()))?;
        if predicates.matches(client).map_err(|error| AnswerError(error.to_string()))? {
            found.push((path.as_str(), served));
        }
    }
    Ok(found)
}

/// The answer to a client.
pub(crate) fn build(
    repositories: &Repositories,
    client: &Client,
    cached: &[CachedFile],
    now_secs: i64,
) -> Result<Answer, AnswerError> {
    let state = client.state.clone().unwrap_or_default();
    if repositories.versions().director_targets == state.targets_version {
        return Ok(Answer::default());
    }
    let current = repositories.director.root.version;
    let mut roots = Vec::new();
    for version in state.root_version.saturating_add(1)..=current {
        let raw = repositories
            .director
            .roots
            .get(&version)
            .ok_or_else(|| AnswerError(format!("director root {version} is not known here")))?;
        roots.push(Base64(raw.clone()));
    }
    let (mut target_files, mut client_configs) = (Vec::new(), Vec::new());
    for (path, served) in matching(repositories, client, now_secs)? {
        client_configs.push(path.to_owned());
        let held = cached.iter().find(|file| file.path == path);
        let is_held = held.map(|held| held.is(served.meta.length, &served.meta.hashes));
        let is_held = is_held.transpose().map_err(|why| AnswerError(why.to_owned()))?;
        if is_held != Some(true) {
            let raw = Base64(served.content.clone());
            target_files.push(AnswerFile { path: path.to_owned(), raw });
        }
    }
    let targets = Base64(targets(repositories));
    Ok(Answer { roots, targets, target_files, client_configs, config_status: 0 })
}

/// The stored bytes: another form would not fit the signatures that clients check.
fn targets(repositories: &Repositories) -> Bytes {
    repositories.director.targets.as_ref().map_or_else(Bytes::new, |targets| targets.raw.clone())
}
