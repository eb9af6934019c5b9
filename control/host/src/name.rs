//! The host name: which of several candidates wins. spec: cloud §2.

use thiserror::Error;

use crate::{HostNameRefused, check_host_name};

/// Settings of the host name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameSettings {
    /// `hostname`: the name itself; empty when not configured.
    pub hostname: String,
    /// `hostname_file`: a file whose first line is the name; empty when not configured.
    pub hostname_file: String,
    /// `hostname_fqdn`: use the fully qualified name.
    pub is_fqdn_wanted: bool,
    /// Whether the agent runs on Fargate, where a host has no name.
    pub is_fargate: bool,
    /// `hostname_trust_uts_namespace`: inside a container use its own host name.
    pub is_uts_trusted: bool,
    /// `hostname_force_config_as_canonical`: no warning for a configured name that looks like a
    /// default name of EC2.
    pub is_config_canonical: bool,
    /// `ec2_prioritize_instance_id_as_hostname`: the instance id replaces any name found.
    pub is_instance_id_preferred: bool,
    /// `ec2_use_windows_prefix_detection`: `ec2amaz-` is a default name as well.
    pub has_windows_prefix: bool,
}

/// What stands in the configured file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HostNameFile {
    /// No file is configured.
    #[default]
    NotConfigured,
    /// It could not be read; the reason.
    Unreadable(String),
    /// Its first line, trimmed.
    Line(String),
}

/// Names that were found, each by its own source. `None` where a source has no answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Content of `hostname_file`.
    pub file: HostNameFile,
    /// Whether the agent runs on Fargate, where a host has no name.
    pub is_fargate: bool,
    /// Google Cloud.
    pub gce: Option<String>,
    /// Azure, unless its style is `os`.
    pub azure: Option<String>,
    /// `hostname -f`.
    pub fqdn: Option<String>,
    /// Orchestrator or container runtime.
    pub container: Option<String>,
    /// The name that the kernel has.
    pub os: Option<String>,
    /// Whether that is the host's: false in a container with a name of its own.
    pub is_uts_of_host: bool,
    /// EC2 instance id.
    pub aws: Option<String>,
}

/// Where a host name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// `hostname`.
    Configuration,
    /// `hostname_file`.
    HostNameFile,
    /// Fargate: no name.
    Fargate,
    /// Google Cloud.
    Gce,
    /// Azure.
    Azure,
    /// `hostname -f`.
    Fqdn,
    /// Orchestrator or container runtime.
    Container,
    /// The kernel.
    Os,
    /// EC2.
    Aws,
}

impl Provider {
    /// Name in metadata payloads (`hostname_source`).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::HostNameFile => "hostnameFile",
            Self::Fargate => "fargate",
            Self::Gce => "gce",
            Self::Azure => "azure",
            Self::Fqdn => "fqdn",
            Self::Container => "container",
            Self::Os => "os",
            Self::Aws => "aws",
        }
    }
}

/// The resolved host name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName {
    /// The name; empty only on Fargate.
    pub name: String,
    /// Where it comes from.
    pub provider: Provider,
    /// What to tell the user.
    pub warnings: Vec<NameWarning>,
}

/// A finding about the host name that does not stop the start.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameWarning {
    /// The configured name cannot be used.
    #[error(
        "`hostname: {name}` is ignored because it {reason}; set a valid name or remove the key"
    )]
    Configured {
        /// The name.
        name: String,
        /// Why.
        reason: HostNameRefused,
    },
    /// The file cannot be read.
    #[error("`hostname_file: {path}` is ignored because it cannot be read: {reason}")]
    FileUnreadable {
        /// The file.
        path: String,
        /// What the file system said.
        reason: String,
    },
    /// The name in the file cannot be used.
    #[error(
        "`{name}` in hostname_file {path} is ignored because it {reason}; put a valid name there"
    )]
    FileName {
        /// The file.
        path: String,
        /// The name.
        name: String,
        /// Why.
        reason: HostNameRefused,
    },
    /// The configured name looks like a default name of EC2.
    #[error(
        "`hostname: {0}` looks like a default name of EC2 and may not be unique; remove the key to \
         use the instance id, or set hostname_force_config_as_canonical"
    )]
    NotCanonical(String),
    /// The kernel's name is used although it is not a good one.
    #[error("the host's own name `{name}` {reason}; set `hostname` (DD_HOSTNAME) to a valid name")]
    Os {
        /// The name.
        name: String,
        /// Why.
        reason: HostNameRefused,
    },
}

/// No source has a name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "unable to reliably determine the host name{hint}; set `hostname` in datadog.yaml or DD_HOSTNAME{}",
    warnings.iter().map(|warning| format!("\n  {warning}")).collect::<String>()
)]
pub struct HostNameError {
    hint: &'static str,
    /// Names that were found and refused.
    pub warnings: Vec<NameWarning>,
}

const CONTAINER_HINT: &str = ": this container has a name of its own, which changes with every \
     start (run it in the host's UTS namespace, or set hostname_trust_uts_namespace to use that)";

/// Decides on the host name.
///
/// A valid configured name, the file, Fargate, Google Cloud and Azure end the search. After them a
/// later source overwrites an earlier one: fully qualified name, container, and EC2 in place of a
/// default name; the kernel's name only fills a gap.
///
/// # Errors
/// [`HostNameError`] when no source has a name.
pub fn resolve_name(
    settings: &NameSettings,
    candidates: &Candidates,
) -> Result<HostName, HostNameError> {
    let mut warnings = Vec::new();
    let (name, provider) = match decisive(settings, candidates, &mut warnings) {
        Some(found) => found,
        None => match last_found(settings, candidates, &mut warnings) {
            Some(found) => found,
            None => {
                let is_container = candidates.os.is_some() && !is_os_usable(settings, candidates);
                let hint = if is_container { CONTAINER_HINT } else { "" };
                return Err(HostNameError { hint, warnings });
            }
        },
    };
    Ok(HostName { name, provider, warnings })
}

/// Sources that end the search.
fn decisive(
    settings: &NameSettings,
    candidates: &Candidates,
    warnings: &mut Vec<NameWarning>,
) -> Option<(String, Provider)> {
    if let Some(name) = configured(settings, warnings) {
        return Some((name, Provider::Configuration));
    }
    if let Some(name) = from_file(settings, candidates, warnings) {
        return Some((name, Provider::HostNameFile));
    }
    if candidates.is_fargate {
        return Some((String::new(), Provider::Fargate));
    }
    let gce = valid(&candidates.gce).map(|name| (name, Provider::Gce));
    gce.or_else(|| valid(&candidates.azure).map(|name| (name, Provider::Azure)))
}

fn configured(settings: &NameSettings, warnings: &mut Vec<NameWarning>) -> Option<String> {
    let name = settings.hostname.clone();
    if name.is_empty() {
        return None;
    }
    if let Err(reason) = check_host_name(&name) {
        warnings.push(NameWarning::Configured { name, reason });
        return None;
    }
    if is_default_name(settings, &name) && !settings.is_config_canonical {
        warnings.push(NameWarning::NotCanonical(name.clone()));
    }
    Some(name)
}

fn from_file(
    settings: &NameSettings,
    candidates: &Candidates,
    warnings: &mut Vec<NameWarning>,
) -> Option<String> {
    let path = settings.hostname_file.clone();
    match &candidates.file {
        HostNameFile::NotConfigured => None,
        HostNameFile::Unreadable(reason) => {
            warnings.push(NameWarning::FileUnreadable { path, reason: reason.clone() });
            None
        }
        HostNameFile::Line(name) => match check_host_name(name) {
            Ok(()) => Some(name.clone()),
            Err(reason) => {
                warnings.push(NameWarning::FileName { path, name: name.clone(), reason });
                None
            }
        },
    }
}

/// Sources of which the last one with an answer counts.
fn last_found(
    settings: &NameSettings,
    candidates: &Candidates,
    warnings: &mut Vec<NameWarning>,
) -> Option<(String, Provider)> {
    let is_os_usable = is_os_usable(settings, candidates);
    let mut found = None;
    if settings.is_fqdn_wanted && is_os_usable {
        found = valid(&candidates.fqdn).map(|name| (name, Provider::Fqdn));
    }
    if let Some(name) = valid(&candidates.container) {
        found = Some((name, Provider::Container));
    }
    if found.is_none()
        && is_os_usable
        && let Some(name) = candidates.os.clone().filter(|name| !name.is_empty())
    {
        if let Err(reason) = check_host_name(&name) {
            warnings.push(NameWarning::Os { name: name.clone(), reason });
        }
        found = Some((name, Provider::Os));
    }
    let is_replaced = settings.is_instance_id_preferred
        || found.as_ref().is_some_and(|(name, _)| is_default_name(settings, name));
    if is_replaced && let Some(name) = valid(&candidates.aws) {
        found = Some((name, Provider::Aws));
    }
    found
}

const fn is_os_usable(settings: &NameSettings, candidates: &Candidates) -> bool {
    settings.is_uts_trusted || candidates.is_uts_of_host
}

fn valid(name: &Option<String>) -> Option<String> {
    name.clone().filter(|name| check_host_name(name).is_ok())
}

/// Whether EC2 gave the name to the host, so that it may not be unique. spec: cloud §2.5.
fn is_default_name(settings: &NameSettings, name: &str) -> bool {
    let starts_with = |prefix: &str| {
        name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    starts_with("ip-")
        || starts_with("domu")
        || settings.has_windows_prefix && starts_with("ec2amaz-")
}

#[cfg(test)]
mod tests;
