//! Members that need no running agent: what it was set up with.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{Config, Layer, ShowScope, StrKey, keys};
use serde_json::Value;

use crate::collect::{Content, Member};
use crate::environment::environment_text;
use crate::files::{rights, tail, whole};

/// What is known without asking an agent.
#[derive(Clone, Debug)]
pub struct About {
    /// The configuration in effect.
    pub config: Arc<Config>,
    /// Variables of the process.
    pub environment: BTreeMap<String, String>,
    /// What a check of the configuration finds, a line each.
    pub findings: Vec<String>,
    /// Version, build and process.
    pub version: Value,
}

/// Largest file of settings that is read; the loader takes no larger one.
const SETTINGS_BYTES_MAX: u64 = 2 << 20;
/// Where the daemon logs when no key names a file.
const LOG_FILE: &str = "/var/log/corelane/agent.log";
/// What a package leaves beside the configuration. spec: config §12.4
const INSTALL_INFO: &str = "install_info";

/// The members, in the order of their weight: what fits least comes last.
#[must_use]
pub fn members_of(about: &About) -> Vec<Member> {
    let About { config, environment, findings, version } = about;
    let mut members = Vec::new();
    let version = version.clone();
    members.push(Member::new("version.json", move || Ok(Content::Json(version))));
    for (number, path) in config.files().into_iter().enumerate() {
        let name = match number {
            0 => "etc/datadog.yaml".to_owned(),
            number => format!("etc/extra-{number}.yaml"),
        };
        members.push(Member::new(name, move || {
            whole(&path, SETTINGS_BYTES_MAX).map(Content::Settings)
        }));
    }
    let shown = Arc::clone(config);
    members.push(Member::new("runtime_config_dump.yaml", move || {
        Ok(Content::Text(shown.show(ShowScope::All)))
    }));
    let findings = match findings.join("\n") {
        none if none.is_empty() => "nothing was found\n".to_owned(),
        found => format!("{found}\n"),
    };
    members.push(Member::new("config-check.log", move || Ok(Content::Text(findings))));
    let variables = environment_text(environment);
    members.push(Member::new("envvars.log", move || Ok(Content::Text(variables))));
    let secrets = secrets_text(config);
    members.push(Member::new("secrets.log", move || Ok(Content::Text(secrets))));
    let paths = paths_of(config);
    members.push(Member::new("permissions.log", move || {
        let head = "mode uid gid bytes path\n".to_owned();
        Ok(Content::Text(paths.iter().fold(head, |text, path| text + &rights(path))))
    }));
    let install_info = config.file().and_then(Path::parent).map(|path| path.join(INSTALL_INFO));
    if let Some(path) = install_info.filter(|path| path.is_file()) {
        members.push(Member::new("install_info.log", move || {
            whole(&path, SETTINGS_BYTES_MAX).map(Content::Text)
        }));
    }
    let path = config.text(keys::LOG_FILE).unwrap_or(LOG_FILE);
    let path = PathBuf::from(path);
    let bytes_max = config.bytes(keys::FLARE_LOG_BYTES_MAX);
    let is_wanted = !config.bool(keys::DISABLE_FILE_LOGGING) && bytes_max > 0;
    if is_wanted && (config.is_set(keys::LOG_FILE) || path.exists()) {
        members
            .push(Member::new("logs/agent.log", move || tail(&path, bytes_max).map(Content::Text)));
    }
    members
}

/// Which keys hold secrets and where those come from; never what they are.
fn secrets_text(config: &Config) -> String {
    let mut text = String::new();
    for entry in keys::all() {
        let source = config.source(entry);
        let is_backed = source.layer() == Layer::Secret;
        if is_backed || (entry.is_secret() && config.is_set(entry)) {
            let written = writeln!(text, "{}: {source}", entry.name());
            debug_assert!(written.is_ok(), "writing to a string does not fail");
        }
    }
    if text.is_empty() { "no secret is set\n".to_owned() } else { text }
}

/// Files and sockets that are often out of somebody's reach.
fn paths_of(config: &Config) -> Vec<PathBuf> {
    const KEYS: &[StrKey] = &[
        keys::RUN_PATH,
        keys::LOG_FILE,
        keys::API_SOCKET,
        keys::DOGSTATSD_SOCKET,
        keys::DOGSTATSD_STREAM_SOCKET,
        keys::APM_RECEIVER_SOCKET,
        keys::SECRET_BACKEND_COMMAND,
        keys::TLS_CERT_FILE,
    ];
    let named = KEYS.iter().filter_map(|key| config.text(*key)).map(PathBuf::from);
    config.files().into_iter().chain(named).collect()
}

#[cfg(test)]
mod tests {
    use config::{FileSource, Sources};

    use super::*;

    #[test]
    fn members_say_what_an_agent_was_set_up_with() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("datadog.yaml");
        let log = directory.path().join("a.log");
        std::fs::write(&log, "a line\n").expect("written");
        let text = format!("api_key: 0123456789abcdef\nlog_file: {}\n", log.display());
        std::fs::write(&file, text).expect("written");
        std::fs::write(directory.path().join(INSTALL_INFO), "tool: x\n").expect("written");
        let file = FileSource::Explicit(file);
        let config = config::load(&Sources { file, ..Sources::default() }).expect("valid");
        let about = About {
            config: Arc::new(config),
            environment: BTreeMap::new(),
            findings: vec!["warning: x".to_owned()],
            version: serde_json::json!({"version": "1"}),
        };
        let mut made = BTreeMap::new();
        for member in members_of(&about) {
            let content = (member.make)().expect("made");
            let (Content::Text(text) | Content::Settings(text)) = content else { continue };
            made.insert(member.name, text);
        }
        let part = |name: &str, part: &str| {
            let text = made.get(name).map_or("missing", String::as_str);
            assert!(text.contains(part), "{part} is not in {name}: {text}");
        };
        part("etc/datadog.yaml", "log_file");
        part("runtime_config_dump.yaml", "dogstatsd_port");
        part("config-check.log", "warning: x");
        part("envvars.log", "no variable");
        part("secrets.log", "api_key: ");
        part("permissions.log", "datadog.yaml");
        part("install_info.log", "tool: x");
        part("logs/agent.log", "a line");
    }
}
