//! Which endpoints a track has. spec: proxies §5.2.

use serde::Deserialize;

use crate::client::{Client, ClientSettings};
use crate::endpoint::{Endpoint, derive_track};
use crate::track::{AGENT_V2_PATH, DebuggerType, Track};

/// Endpoints of all tracks. Clones share their connections.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Primary endpoint of log lines.
    pub logs_endpoint: Option<Endpoint>,
    /// Primary endpoint of snapshots.
    pub snapshots_endpoint: Option<Endpoint>,
    /// Primary endpoint of diagnostics.
    pub diagnostics_endpoint: Option<Endpoint>,
    /// Primary endpoint of symbol databases.
    pub symdb_endpoint: Option<Endpoint>,
    /// Additional endpoints of log lines.
    pub additional_logs_endpoints: Vec<Endpoint>,
    /// Additional endpoints of snapshots.
    pub additional_snapshots_endpoints: Vec<Endpoint>,
    /// Additional endpoints of diagnostics.
    pub additional_diagnostics_endpoints: Vec<Endpoint>,
    /// Additional endpoints of symbol databases.
    pub additional_symdb_endpoints: Vec<Endpoint>,
    client: Client,
}

impl Config {
    /// A configuration without endpoints, whose connections are made with these settings.
    #[must_use]
    pub fn with_client(settings: ClientSettings) -> Self {
        Self { client: Client::new(settings), ..Self::default() }
    }

    /// Sets the primary endpoint of logs, snapshots and diagnostics, each with its path.
    pub fn set_endpoint(&mut self, endpoint: Endpoint) {
        self.logs_endpoint = Some(derive_track(endpoint.clone(), Track::Logs));
        self.snapshots_endpoint = Some(derive_track(endpoint.clone(), Track::Snapshots));
        self.diagnostics_endpoint = Some(derive_track(endpoint, Track::Diagnostics));
    }

    /// Sets the primary endpoint of symbol databases.
    pub fn set_symdb_endpoint(&mut self, endpoint: Endpoint) {
        self.symdb_endpoint = Some(derive_track(endpoint, Track::SymDb));
    }

    /// Adds an endpoint to logs, snapshots and diagnostics. A track without a primary endpoint
    /// takes its first additional one for it.
    pub fn add_additional_debugger_endpoint(&mut self, endpoint: Endpoint) {
        self.additional_logs_endpoints.push(derive_track(endpoint.clone(), Track::Logs));
        self.additional_snapshots_endpoints.push(derive_track(endpoint.clone(), Track::Snapshots));
        self.additional_diagnostics_endpoints.push(derive_track(endpoint, Track::Diagnostics));
    }

    /// Adds an endpoint to symbol databases.
    pub fn add_additional_symdb_endpoint(&mut self, endpoint: Endpoint) {
        self.additional_symdb_endpoints.push(derive_track(endpoint, Track::SymDb));
    }

    /// Sends snapshots and logs to the endpoint of diagnostics, for agents without
    /// `/debugger/v2/input`.
    pub fn downgrade_to_diagnostics_endpoint(&mut self) {
        self.snapshots_endpoint.clone_from(&self.diagnostics_endpoint);
        self.logs_endpoint.clone_from(&self.diagnostics_endpoint);
    }

    /// Endpoints of a track, the primary one first.
    pub fn endpoints(&self, track: Track) -> impl Iterator<Item = &Endpoint> {
        let (primary, additional) = match track {
            Track::Diagnostics => {
                (&self.diagnostics_endpoint, &self.additional_diagnostics_endpoints)
            }
            Track::Snapshots => (&self.snapshots_endpoint, &self.additional_snapshots_endpoints),
            Track::Logs => (&self.logs_endpoint, &self.additional_logs_endpoints),
            Track::SymDb => (&self.symdb_endpoint, &self.additional_symdb_endpoints),
        };
        primary.iter().chain(additional)
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Whether a downgrade would send payloads of this kind elsewhere than an agent's 404.
    pub(crate) fn can_downgrade(&self, kind: DebuggerType) -> bool {
        let primary = match kind {
            DebuggerType::Diagnostics => return false,
            DebuggerType::Snapshots => &self.snapshots_endpoint,
            DebuggerType::Logs => &self.logs_endpoint,
        };
        let is_v2 = |endpoint: &Endpoint| endpoint.url.path() == AGENT_V2_PATH;
        primary.as_ref().is_some_and(is_v2) && self.diagnostics_endpoint.is_some()
    }
}

/// Whether an agent has `/debugger/v2/input`, by the text of its `/info`.
#[must_use]
pub fn agent_info_supports_debugger_v2_endpoint(info: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Info {
        #[serde(default)]
        endpoints: Option<Vec<String>>,
    }
    let endpoints = serde_json::from_slice::<Info>(info).ok().and_then(|info| info.endpoints);
    endpoints.is_some_and(|endpoints| endpoints.iter().any(|route| route == AGENT_V2_PATH))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: &str = "http://localhost:8126";

    fn endpoint(url: &str, key: Option<&str>) -> Endpoint {
        Endpoint::new(url.parse().expect("a url"), key)
    }

    fn paths(config: &Config) -> [Option<&str>; 4] {
        [Track::Diagnostics, Track::Snapshots, Track::Logs, Track::SymDb]
            .map(|track| config.endpoints(track).last().map(|endpoint| endpoint.url.path()))
    }

    #[test]
    fn an_agent_gets_its_routes() {
        let mut config = Config::default();
        config.set_endpoint(endpoint(AGENT, None));
        let [diagnostics, input] = ["/debugger/v1/diagnostics", "/debugger/v2/input"];
        assert_eq!(paths(&config), [Some(diagnostics), Some(input), Some(input), None]);
        config.set_symdb_endpoint(endpoint(AGENT, None));
        assert_eq!(paths(&config)[3], Some("/symdb/v1/input"));
    }

    #[test]
    fn the_intake_gets_one_path() {
        let mut config = Config::default();
        config.set_endpoint(endpoint("https://intake.test/x?y=1", Some("key")));
        config.set_symdb_endpoint(endpoint("https://intake.test/x?y=1", Some("key")));
        assert_eq!(paths(&config), [Some("/api/v2/debugger"); 4]);
        let url = &config.endpoints(Track::SymDb).next().expect("an endpoint").url;
        assert_eq!(url.to_string(), "https://intake.test/api/v2/debugger");
    }

    #[test]
    fn files_keep_their_path() {
        let mut config = Config::default();
        config.set_endpoint(endpoint("file:///tmp/out", Some("key")));
        let file: crate::Url = "file:///tmp/out".parse().expect("a url");
        assert!(config.endpoints(Track::Logs).all(|endpoint| endpoint.url == file));
    }

    #[test]
    fn additional_endpoints_derive_the_same_paths() {
        let mut primary = Config::default();
        primary.set_endpoint(endpoint(AGENT, None));
        primary.set_symdb_endpoint(endpoint(AGENT, None));
        let mut additional = Config::default();
        additional.add_additional_debugger_endpoint(endpoint(AGENT, None));
        additional.add_additional_symdb_endpoint(endpoint(AGENT, None));
        assert_eq!(paths(&primary), paths(&additional));
        additional.add_additional_debugger_endpoint(endpoint("https://intake.test", Some("key")));
        assert_eq!(additional.endpoints(Track::Logs).count(), 2);
        assert_eq!(paths(&additional)[2], Some("/api/v2/debugger"));
    }

    #[test]
    fn a_downgrade_sends_all_where_diagnostics_go() {
        let mut config = Config::default();
        config.set_endpoint(endpoint(AGENT, None));
        assert!(config.can_downgrade(DebuggerType::Snapshots));
        config.downgrade_to_diagnostics_endpoint();
        let expected = Some("/debugger/v1/diagnostics");
        assert_eq!(paths(&config), [expected, expected, expected, None]);
        assert!(!config.can_downgrade(DebuggerType::Snapshots));
        config.set_endpoint(endpoint("https://intake.test", Some("key")));
        assert!(!config.can_downgrade(DebuggerType::Logs));
    }

    #[test]
    fn an_agent_says_whether_it_has_v2() {
        let says = |text: &str| agent_info_supports_debugger_v2_endpoint(text.as_bytes());
        assert!(says(r#"{"endpoints":["/info","/debugger/v2/input"],"version":"7"}"#));
        assert!(!says(r#"{"endpoints":["/debugger/v1/input","/debugger/v2/input/"]}"#));
        for text in ["{}", r#"{"endpoints":null}"#, r#"{"endpoints":"/debugger/v2/input"}"#, "no"] {
            assert!(!says(text), "{text}");
        }
    }
}
