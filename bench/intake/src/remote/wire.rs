//! Messages between agent and backend. spec: remote-config §4
#![allow(missing_docs, reason = "one row of the spec's table per message")]

use prost::Message;

/// What an agent asks.
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

impl LatestConfigsRequest {
    /// A client by its id.
    #[must_use]
    pub fn client(&self, id: &str) -> Option<&Client> {
        self.active_clients.iter().find(|client| client.id == id)
    }

    /// What the agent's own client says of a configuration.
    #[must_use]
    pub fn own_state(&self, product: &str, id: &str) -> Option<&ConfigState> {
        let own = self.active_clients.iter().find(|client| client.is_agent)?;
        let states = &own.state.as_ref()?.config_states;
        states.iter().find(|state| state.product == product && state.id == id)
    }
}

#[derive(Clone, PartialEq, Eq, Message)]
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
    pub capabilities: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Message)]
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
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct ClientAgent {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub version: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
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
    pub backend_client_state: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Message)]
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

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct LatestConfigsResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) config_metas: Option<ConfigMetas>,
    #[prost(message, optional, tag = "2")]
    pub(super) director_metas: Option<DirectorMetas>,
    #[prost(message, repeated, tag = "3")]
    pub(super) target_files: Vec<File>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct ConfigMetas {
    #[prost(message, repeated, tag = "1")]
    pub(super) roots: Vec<TopMeta>,
    #[prost(message, optional, tag = "2")]
    pub(super) timestamp: Option<TopMeta>,
    #[prost(message, optional, tag = "3")]
    pub(super) snapshot: Option<TopMeta>,
    #[prost(message, optional, tag = "4")]
    pub(super) top_targets: Option<TopMeta>,
    #[prost(message, repeated, tag = "5")]
    pub(super) delegated_targets: Vec<DelegatedMeta>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct DirectorMetas {
    #[prost(message, repeated, tag = "1")]
    pub(super) roots: Vec<TopMeta>,
    #[prost(message, optional, tag = "2")]
    pub(super) timestamp: Option<TopMeta>,
    #[prost(message, optional, tag = "3")]
    pub(super) snapshot: Option<TopMeta>,
    #[prost(message, optional, tag = "4")]
    pub(super) targets: Option<TopMeta>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct DelegatedMeta {
    #[prost(uint64, tag = "1")]
    pub(super) version: u64,
    #[prost(string, tag = "2")]
    pub(super) role: String,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) raw: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct TopMeta {
    #[prost(uint64, tag = "1")]
    pub(super) version: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) raw: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct File {
    #[prost(string, tag = "1")]
    pub(super) path: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) raw: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct OrgDataResponse {
    #[prost(string, tag = "1")]
    pub(super) uuid: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct OrgStatusResponse {
    #[prost(bool, tag = "1")]
    pub(super) enabled: bool,
    #[prost(bool, tag = "2")]
    pub(super) authorized: bool,
}
