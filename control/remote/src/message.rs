//! Messages of the backend, and the client part of tracers' requests, which has the same members.
//! spec: remote-config §4
//!
//! The fields are documented there; names are those of the wire.
#![allow(missing_docs, reason = "one row of the spec's table per message")]

use bytes::Bytes;
use prost::Message;
use serde::{Deserialize, Deserializer, Serialize};

/// What the agent asks the backend.
#[derive(Clone, PartialEq, Message)]
pub struct LatestConfigsRequest {
    #[prost(string, tag = "1")]
    pub hostname: String,
    #[prost(string, tag = "2")]
    pub agent_version: String,
    #[prost(uint64, tag = "3")]
    pub current_config_snapshot_version: u64,
    #[prost(string, repeated, tag = "4")]
    pub products: Vec<String>,
    #[prost(string, repeated, tag = "5")]
    pub new_products: Vec<String>,
    #[prost(message, repeated, tag = "6")]
    pub active_clients: Vec<Client>,
    #[prost(uint64, tag = "8")]
    pub current_director_root_version: u64,
    #[prost(uint64, tag = "9")]
    pub current_config_root_version: u64,
    #[prost(bytes = "vec", tag = "10")]
    pub backend_client_state: Vec<u8>,
    #[prost(bool, tag = "11")]
    pub has_error: bool,
    #[prost(string, tag = "12")]
    pub error: String,
    #[prost(string, tag = "13")]
    pub trace_agent_env: String,
    #[prost(string, tag = "14")]
    pub org_uuid: String,
    #[prost(string, repeated, tag = "15")]
    pub tags: Vec<String>,
    #[prost(string, tag = "16")]
    pub agent_uuid: String,
}

/// What the backend answers.
#[derive(Clone, PartialEq, Message)]
pub struct LatestConfigsResponse {
    #[prost(message, optional, tag = "1")]
    pub config_metas: Option<ConfigMetas>,
    #[prost(message, optional, tag = "2")]
    pub director_metas: Option<DirectorMetas>,
    #[prost(message, repeated, tag = "3")]
    pub target_files: Vec<File>,
}

/// Documents of the config repository.
#[derive(Clone, PartialEq, Message)]
pub struct ConfigMetas {
    #[prost(message, repeated, tag = "1")]
    pub roots: Vec<TopMeta>,
    #[prost(message, optional, tag = "2")]
    pub timestamp: Option<TopMeta>,
    #[prost(message, optional, tag = "3")]
    pub snapshot: Option<TopMeta>,
    #[prost(message, optional, tag = "4")]
    pub top_targets: Option<TopMeta>,
    #[prost(message, repeated, tag = "5")]
    pub delegated_targets: Vec<DelegatedMeta>,
}

/// Documents of the director.
#[derive(Clone, PartialEq, Message)]
pub struct DirectorMetas {
    #[prost(message, repeated, tag = "1")]
    pub roots: Vec<TopMeta>,
    #[prost(message, optional, tag = "2")]
    pub timestamp: Option<TopMeta>,
    #[prost(message, optional, tag = "3")]
    pub snapshot: Option<TopMeta>,
    #[prost(message, optional, tag = "4")]
    pub targets: Option<TopMeta>,
}

/// A document of a role at the top.
#[derive(Clone, PartialEq, Message)]
pub struct TopMeta {
    #[prost(uint64, tag = "1")]
    pub version: u64,
    #[prost(bytes = "bytes", tag = "2")]
    pub raw: Bytes,
}

/// A document of a delegated role.
#[derive(Clone, PartialEq, Message)]
pub struct DelegatedMeta {
    #[prost(uint64, tag = "1")]
    pub version: u64,
    #[prost(string, tag = "2")]
    pub role: String,
    #[prost(bytes = "bytes", tag = "3")]
    pub raw: Bytes,
}

/// The content of a configuration.
#[derive(Clone, PartialEq, Message)]
pub struct File {
    #[prost(string, tag = "1")]
    pub path: String,
    #[prost(bytes = "bytes", tag = "2")]
    pub raw: Bytes,
}

/// The organisation of a key.
#[derive(Clone, PartialEq, Message)]
pub struct OrgDataResponse {
    #[prost(string, tag = "1")]
    pub uuid: String,
}

/// What the organisation and the key may do.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct OrgStatusResponse {
    #[prost(bool, tag = "1")]
    pub enabled: bool,
    #[prost(bool, tag = "2")]
    pub authorized: bool,
}

/// Who asks for configurations.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Client {
    #[prost(message, optional, tag = "1")]
    pub state: Option<ClientState>,
    #[prost(string, tag = "2")]
    pub id: String,
    #[prost(string, repeated, tag = "3")]
    pub products: Vec<String>,
    #[prost(bool, tag = "6")]
    pub is_tracer: bool,
    #[prost(message, optional, tag = "7")]
    pub client_tracer: Option<ClientTracer>,
    #[prost(bool, tag = "8")]
    pub is_agent: bool,
    #[prost(message, optional, tag = "9")]
    pub client_agent: Option<ClientAgent>,
    #[prost(uint64, tag = "10")]
    pub last_seen: u64,
    #[prost(bytes = "vec", tag = "11")]
    #[serde(deserialize_with = "base64_bytes")]
    pub capabilities: Vec<u8>,
    #[prost(bool, tag = "14")]
    pub is_updater: bool,
    #[prost(message, optional, tag = "15")]
    pub client_updater: Option<ClientUpdater>,
}

/// A tracer.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientTracer {
    #[prost(string, tag = "1")]
    pub runtime_id: String,
    #[prost(string, tag = "2")]
    pub language: String,
    #[prost(string, tag = "3")]
    pub tracer_version: String,
    #[prost(string, tag = "4")]
    pub service: String,
    #[prost(string, tag = "5")]
    pub env: String,
    #[prost(string, tag = "6")]
    pub app_version: String,
    #[prost(string, repeated, tag = "7")]
    pub tags: Vec<String>,
    #[prost(string, repeated, tag = "8")]
    pub extra_services: Vec<String>,
    #[prost(string, repeated, tag = "9")]
    pub process_tags: Vec<String>,
    #[prost(string, repeated, tag = "10")]
    pub container_tags: Vec<String>,
}

/// A process of an agent.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientAgent {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub version: String,
    #[prost(string, tag = "3")]
    pub cluster_name: String,
    #[prost(string, tag = "4")]
    pub cluster_id: String,
    #[prost(string, repeated, tag = "5")]
    pub cws_workloads: Vec<String>,
}

/// An installer.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientUpdater {
    #[prost(string, repeated, tag = "1")]
    pub tags: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    pub packages: Vec<PackageState>,
    #[prost(uint64, tag = "3")]
    pub available_disk_space: u64,
    #[prost(string, tag = "4")]
    pub secrets_pub_key: String,
}

/// What an installer has of a package.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct PackageState {
    #[prost(string, tag = "1")]
    pub package: String,
    #[prost(string, tag = "2")]
    pub stable_version: String,
    #[prost(string, tag = "3")]
    pub experiment_version: String,
    #[prost(message, optional, tag = "4")]
    pub task: Option<PackageStateTask>,
    #[prost(string, tag = "11")]
    pub stable_config_version: String,
    #[prost(string, tag = "12")]
    pub experiment_config_version: String,
    #[prost(string, tag = "13")]
    pub running_version: String,
    #[prost(string, tag = "14")]
    pub running_config_version: String,
    #[prost(uint64, tag = "15")]
    pub heartbeat_timestamp: u64,
    #[prost(float, tag = "16")]
    pub completion: f32,
}

/// What an installer does.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct PackageStateTask {
    #[prost(string, tag = "1")]
    pub id: String,
    /// 0 idle, 1 running, 2 done, 3 invalid state, 4 error.
    #[prost(int32, tag = "2")]
    pub state: i32,
    #[prost(message, optional, tag = "3")]
    pub error: Option<TaskError>,
}

/// Why that failed.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskError {
    #[prost(uint64, tag = "1")]
    pub code: u64,
    #[prost(string, tag = "2")]
    pub message: String,
}

/// What a client has and did.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientState {
    #[prost(uint64, tag = "1")]
    pub root_version: u64,
    #[prost(uint64, tag = "2")]
    pub targets_version: u64,
    #[prost(message, repeated, tag = "3")]
    pub config_states: Vec<ConfigState>,
    #[prost(bool, tag = "4")]
    pub has_error: bool,
    #[prost(string, tag = "5")]
    pub error: String,
    #[prost(bytes = "vec", tag = "6")]
    #[serde(deserialize_with = "base64_bytes")]
    pub backend_client_state: Vec<u8>,
}

/// What became of a configuration at a client.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigState {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(uint64, tag = "2")]
    pub version: u64,
    #[prost(string, tag = "3")]
    pub product: String,
    #[prost(uint64, tag = "4")]
    pub apply_state: u64,
    #[prost(string, tag = "5")]
    pub apply_error: String,
}

/// Bytes in JSON: base64, or a list of numbers, as `ddtrace` for Python writes them and Go reads.
fn base64_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    use base64::Engine as _;
    use serde::de::Error as _;
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Text(String),
        Numbers(Vec<u8>),
    }
    match Form::deserialize(deserializer) {
        Ok(Form::Text(text)) => base64::engine::general_purpose::STANDARD
            .decode(text)
            .map_err(|error| D::Error::custom(format!("no base64: {error}"))),
        Ok(Form::Numbers(bytes)) => Ok(bytes),
        Err(_) => Err(D::Error::custom("bytes are base64, or a list of numbers up to 255")),
    }
}

impl ConfigMetas {
    /// As one repository received it.
    pub(crate) fn received(self) -> crate::tuf::Received {
        crate::tuf::Received {
            roots: self.roots.into_iter().map(|root| (root.version, root.raw)).collect(),
            timestamp: self.timestamp.map(|meta| meta.raw),
            snapshot: self.snapshot.map(|meta| (meta.version, meta.raw)),
            targets: self.top_targets.map(|meta| (meta.version, meta.raw)),
            delegated: self
                .delegated_targets
                .into_iter()
                .map(|meta| (meta.role, (meta.version, meta.raw)))
                .collect(),
        }
    }

    /// The way back.
    pub(crate) fn from_received(received: crate::tuf::Received) -> Self {
        let top = |(version, raw)| TopMeta { version, raw };
        Self {
            roots: received.roots.into_iter().map(top).collect(),
            timestamp: received.timestamp.map(|raw| top((0, raw))),
            snapshot: received.snapshot.map(top),
            top_targets: received.targets.map(top),
            delegated_targets: received
                .delegated
                .into_iter()
                .map(|(role, (version, raw))| DelegatedMeta { version, role, raw })
                .collect(),
        }
    }
}

impl DirectorMetas {
    /// The director delegates nothing; otherwise both repositories are alike.
    pub(crate) fn received(self) -> crate::tuf::Received {
        let Self { roots, timestamp, snapshot, targets } = self;
        let delegated_targets = Vec::new();
        ConfigMetas { roots, timestamp, snapshot, top_targets: targets, delegated_targets }
            .received()
    }
}
