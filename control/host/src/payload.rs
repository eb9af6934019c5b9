//! The host metadata payload. spec: metrics-intake §9, cloud §15.

use serde_json::{Value, json};

use crate::gohai::{go_arch, gohai};
use crate::{HostFacts, check_host_name};

/// What the payload needs beside the facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataSettings {
    /// Version in the form of the Agent's: `7.x.y`.
    pub agent_version: String,
    /// Resolved host name.
    pub host_name: String,
    /// `hostname -f`; empty when it was not asked for.
    pub fqdn: String,
    /// `host_aliases`; those that are no host names are left out.
    pub host_aliases: Vec<String>,
    /// Tags, see [`crate::host_tags`].
    pub host_tags: Vec<String>,
    /// Configured name, when `hostname_force_config_as_canonical` is set; empty otherwise.
    pub canonical_host_name: String,
    /// `enable_gohai`.
    pub has_gohai: bool,
    /// `no_proxy_nonexact_match`.
    pub is_no_proxy_nonexact: bool,
}

/// The body of `POST /intake/` that makes the host known, without compression. It holds `api_key`,
/// the key of the endpoint that it goes to: never log it.
#[must_use]
pub fn metadata_payload(settings: &MetadataSettings, facts: &HostFacts, api_key: &str) -> Value {
    // A string, not an object: the intake parses it a second time.
    let gohai = if settings.has_gohai { gohai(facts).to_string() } else { String::new() };
    json!({
        "apiKey": api_key,
        "agentVersion": settings.agent_version,
        "uuid": facts.uuid,
        "internalHostname": settings.host_name,
        "os": "linux",
        "agent-flavor": "agent",
        "python": "",
        "systemStats": system_stats(facts),
        "meta": meta(settings, facts),
        "host-tags": { "system": settings.host_tags },
        "network": null,
        "logs": { "transport": "", "auto_multi_line_detection_enabled": false },
        "install-method": { "tool": null, "tool_version": "undefined", "installer_version": null },
        "proxy-info": {
            "no-proxy-nonexact-match": settings.is_no_proxy_nonexact,
            "proxy-behavior-changed": false,
            "no-proxy-nonexact-match-explicitly-set": settings.is_no_proxy_nonexact,
        },
        "otlp": { "enabled": false },
        "gohai": gohai,
    })
}

fn system_stats(facts: &HostFacts) -> Value {
    json!({
        "cpuCores": facts.cpu.cores,
        "machine": go_arch(&facts.kernel.machine),
        "platform": "linux",
        "pythonV": "",
        "processor": facts.cpu.model_name,
        "macV": ["", "", ""],
        "nixV": [facts.os.id, facts.os.version, ""],
        "fbsdV": ["", "", ""],
        "winV": ["", "", ""],
    })
}

fn meta(settings: &MetadataSettings, facts: &HostFacts) -> Value {
    let mut aliases: Vec<&String> =
        settings.host_aliases.iter().filter(|alias| check_host_name(alias).is_ok()).collect();
    aliases.sort_unstable();
    aliases.dedup();
    let mut meta = json!({
        "socket-hostname": facts.kernel.hostname,
        "timezones": [facts.time_zone],
        "socket-fqdn": if settings.fqdn.is_empty() { &facts.kernel.hostname } else { &settings.fqdn },
        "ec2-hostname": "",
        "hostname": settings.host_name,
        "host_aliases": aliases,
        "instance-id": "",
        "hostname-resolution-version": 1,
    });
    if !settings.canonical_host_name.is_empty() {
        meta["agent-hostname"] = settings.canonical_host_name.as_str().into();
    }
    meta
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::{CpuFacts, KernelFacts, OsFacts, Roots};

    fn settings() -> MetadataSettings {
        MetadataSettings {
            agent_version: "7.70.0".into(),
            host_name: "web01.example.com".into(),
            host_aliases: vec!["b".into(), "not_valid".into(), "a".into(), "b".into()],
            host_tags: vec!["env:prod".into()],
            ..MetadataSettings::default()
        }
    }

    #[test]
    fn the_payload_has_every_key_the_intake_expects() {
        let facts = HostFacts {
            cpu: CpuFacts { cores: 4, model_name: "Xeon".into(), ..CpuFacts::default() },
            kernel: KernelFacts {
                hostname: "web01".into(),
                machine: "aarch64".into(),
                ..KernelFacts::default()
            },
            os: OsFacts { id: "debian".into(), version: "12.9".into() },
            uuid: "3d1219c7-c4c5-404a-aa1f-6d2a48adfda4".into(),
            time_zone: "CET".into(),
            ..HostFacts::default()
        };
        expect![[r#"
            {
              "agent-flavor": "agent",
              "agentVersion": "7.70.0",
              "apiKey": "0123",
              "gohai": "",
              "host-tags": {
                "system": [
                  "env:prod"
                ]
              },
              "install-method": {
                "installer_version": null,
                "tool": null,
                "tool_version": "undefined"
              },
              "internalHostname": "web01.example.com",
              "logs": {
                "auto_multi_line_detection_enabled": false,
                "transport": ""
              },
              "meta": {
                "ec2-hostname": "",
                "host_aliases": [
                  "a",
                  "b"
                ],
                "hostname": "web01.example.com",
                "hostname-resolution-version": 1,
                "instance-id": "",
                "socket-fqdn": "web01",
                "socket-hostname": "web01",
                "timezones": [
                  "CET"
                ]
              },
              "network": null,
              "os": "linux",
              "otlp": {
                "enabled": false
              },
              "proxy-info": {
                "no-proxy-nonexact-match": false,
                "no-proxy-nonexact-match-explicitly-set": false,
                "proxy-behavior-changed": false
              },
              "python": "",
              "systemStats": {
                "cpuCores": 4,
                "fbsdV": [
                  "",
                  "",
                  ""
                ],
                "macV": [
                  "",
                  "",
                  ""
                ],
                "machine": "arm64",
                "nixV": [
                  "debian",
                  "12.9",
                  ""
                ],
                "platform": "linux",
                "processor": "Xeon",
                "pythonV": "",
                "winV": [
                  "",
                  "",
                  ""
                ]
              },
              "uuid": "3d1219c7-c4c5-404a-aa1f-6d2a48adfda4"
            }"#]]
        .assert_eq(&format!("{:#}", metadata_payload(&settings(), &facts, "0123")));
    }

    #[test]
    fn the_inventory_is_a_string_of_json() {
        let settings = MetadataSettings { has_gohai: true, ..settings() };
        let payload = metadata_payload(&settings, &HostFacts::read(&Roots::default()), "");
        let text = payload["gohai"].as_str().expect("a string");
        let inventory: Value = serde_json::from_str(text).expect("json");
        assert!(inventory["platform"]["kernel_release"].is_string());
    }

    #[test]
    fn a_forced_name_is_sent_as_canonical() {
        let settings = MetadataSettings { canonical_host_name: "ip-10-0-0-1".into(), ..settings() };
        let payload = metadata_payload(&settings, &HostFacts::default(), "");
        assert_eq!(payload["meta"]["agent-hostname"], "ip-10-0-0-1");
    }
}
