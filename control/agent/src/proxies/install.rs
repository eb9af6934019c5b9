//! Who installed this agent. spec: proxies §3.5.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use config::{Config, keys};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

/// What stands in the file.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Install {
    install_id: String,
    install_type: String,
    install_time: i64,
}

const FILE: &str = "install.json";

/// Id, type and time (Unix seconds): as configured, else of the file in `directory`, which is made
/// when it is not there. None when neither can be.
pub(super) fn signature(
    config: &Config,
    directory: Option<&Path>,
) -> Option<(String, String, String)> {
    if let Some(id) = config.text(keys::APM_INSTALL_ID) {
        let kind = config.str(keys::APM_INSTALL_TYPE).to_owned();
        return Some((id.to_owned(), kind, config.int(keys::APM_INSTALL_TIME).to_string()));
    }
    let path = directory?.join(FILE);
    let install = match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).ok()?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let install = Install::new()?;
            fs::write(&path, serde_json::to_vec(&install).ok()?).ok()?;
            install
        }
        Err(_) => return None,
    };
    let Install { install_id, install_type, install_time } = install;
    Some((install_id, install_type, install_time.to_string()))
}

impl Install {
    fn new() -> Option<Self> {
        let mut bytes = [0; 16];
        SystemRandom::new().fill(&mut bytes).ok()?;
        let random = u128::from_be_bytes(bytes);
        // Version 4, variant 1.
        let hex = format!("{:032x}", random & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62);
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex.get(part));
        let parts: Option<Vec<&str>> = parts.into_iter().collect();
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let install_type = match (is_set("DOCKER_DD_AGENT"), is_set("DD_APM_ENABLED")) {
            (false, _) => "manual",
            (true, false) => "docker_manual",
            (true, true) => "docker_single_step",
        };
        let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        Some(Self {
            install_id: parts?.join("-"),
            install_type: install_type.to_owned(),
            install_time: i64::try_from(since.as_secs()).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let config = crate::proxies::tests::config("");
        let first = signature(&config, Some(directory.path())).unwrap();
        assert_eq!(first.0.len(), 36);
        assert_eq!(signature(&config, Some(directory.path())), Some(first));
        assert_eq!(signature(&config, Some(&directory.path().join("absent"))), None);
        assert_eq!(signature(&config, None), None);
        let set = crate::proxies::tests::config("apm_config: {install_id: a, install_time: 7}");
        assert_eq!(signature(&set, None), Some(("a".into(), String::new(), "7".into())));
    }
}
