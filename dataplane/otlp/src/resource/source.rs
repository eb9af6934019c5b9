//! Where telemetry comes from. spec: otlp §3.1.

use std::borrow::Cow;

use crate::Attributes;

/// Where telemetry comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// The attributes do not tell: the host is the agent's.
    #[default]
    None,
    /// A host, by its name.
    Host(String),
    /// A platform without hosts.
    Serverless {
        /// Which one.
        platform: Platform,
        /// What runs there.
        identifier: String,
    },
}

/// A platform without hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// ECS on Fargate; what runs there is a task, by its ARN.
    EcsFargate,
    /// App Service of Azure; what runs there is an instance.
    AzureAppService,
    /// Container Apps of Azure; what runs there is a replica, or else an app.
    AzureContainerApps,
}

/// Names that say nothing of a host.
const NO_HOSTS: [&str; 6] = [
    "0.0.0.0",
    "127.0.0.1",
    "localhost",
    "localhost.localdomain",
    "localhost6.localdomain6",
    "ip6-localhost",
];

impl Source {
    /// Looks at the attributes of a resource, or of a log record whose resource does not tell.
    #[must_use]
    pub fn of(attributes: &Attributes<'_>) -> Self {
        if let Some((platform, identifier)) = serverless(attributes) {
            return Self::Serverless { platform, identifier: identifier.to_owned() };
        }
        match host(attributes) {
            Some(name) if !name.is_empty() && !NO_HOSTS.contains(&&*name) => {
                Self::Host(name.into_owned())
            }
            _ => Self::None,
        }
    }

    /// The host's name; none for all else.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Host(name) => Some(name),
            Self::None | Self::Serverless { .. } => None,
        }
    }
}

fn serverless<'a>(attributes: &'a Attributes<'_>) -> Option<(Platform, &'a str)> {
    let text = |key| attributes.text(key);
    let instance = |key| text(key).or_else(|| text("service.instance.id"));
    match text("cloud.platform") {
        Some("azure.app_service" | "azure_app_service") => {
            let named = ["service.name", "cloud.account.id", "azure.resource_group.name"];
            let instance = instance("azure.app_service.instance.id");
            if let Some(instance) = instance.filter(|_| named.iter().all(|key| text(key).is_some()))
            {
                return Some((Platform::AzureAppService, instance));
            }
        }
        Some("azure.container_apps" | "azure_container_apps") => {
            let app = || text("azure.container_app.name").or_else(|| app_of(attributes));
            if let Some(identifier) = instance("azure.container_app.instance.id").or_else(app) {
                return Some((Platform::AzureContainerApps, identifier));
            }
        }
        _ => {}
    }
    let task = text("aws.ecs.task.arn")?;
    is_fargate(attributes).then_some((Platform::EcsFargate, task))
}

/// The app that a resource of Azure belongs to: `/subscriptions/…/containerApps/<app>`; else its
/// service.
fn app_of<'a>(attributes: &'a Attributes<'_>) -> Option<&'a str> {
    let mut parts = attributes.text("cloud.resource_id").unwrap_or_default().split('/');
    let is_app = |part: &str| part.eq_ignore_ascii_case("containerapps");
    let app = parts.by_ref().find(|part| is_app(part)).and_then(|_| parts.next());
    app.filter(|app| !app.is_empty()).or_else(|| attributes.text("service.name"))
}

fn is_fargate(attributes: &Attributes<'_>) -> bool {
    attributes.text("aws.ecs.launchtype") == Some("fargate")
}

/// The host's name, which may be one that says nothing: no other is looked for then.
fn host<'a>(attributes: &'a Attributes<'_>) -> Option<Cow<'a, str>> {
    let text = |key| attributes.text(key).map(Cow::Borrowed);
    if let Some(host) = attributes.get("host") {
        // A list that cannot be read names no host.
        return host.to_text().ok();
    }
    if let Some(name) = text("datadog.host.name") {
        return Some(name);
    }
    if is_fargate(attributes) {
        return None;
    }
    match attributes.text("cloud.provider") {
        Some("aws") => return text("host.id"),
        Some("gcp") => {
            let (name, account) =
                (attributes.text("host.name")?, attributes.text("cloud.account.id")?);
            return Some(Cow::Owned(format!("{}.{account}", short_name(name))));
        }
        Some("azure") => return text("host.id").or_else(|| text("host.name")),
        _ => {}
    }
    if let Some(node) = attributes.text("k8s.node.name") {
        return Some(match cluster_name(attributes) {
            Some(cluster) => Cow::Owned(format!("{node}-{cluster}")),
            None => Cow::Borrowed(node),
        });
    }
    text("host.id").or_else(|| text("host.name"))
}

/// A name with its domain, of at least four parts, without it.
fn short_name(name: &str) -> &str {
    match name.split_once('.') {
        Some((first, domain)) if domain.matches('.').count() >= 2 => first,
        _ => name,
    }
}

/// The name of a cluster: as Kubernetes has it, or within the names that a cloud gives to what it
/// makes for one.
pub(super) fn cluster_name<'a>(attributes: &'a Attributes<'_>) -> Option<Cow<'a, str>> {
    if let Some(name) = attributes.text("k8s.cluster.name") {
        return Some(Cow::Borrowed(name));
    }
    let name = match attributes.text("cloud.provider")? {
        "azure" => {
            // MC_<group>_<cluster>_<location>
            let group = attributes.text("azure.resourcegroup.name")?;
            let mut parts = group.split('_');
            let is_made = parts.next()?.eq_ignore_ascii_case("mc") && parts.clone().count() >= 3;
            is_made.then(|| parts.rev().nth(1)).flatten()
        }
        "aws" => {
            let mut keys = attributes.iter().map(|attribute| &*attribute.key);
            keys.find_map(|key| key.strip_prefix("ec2.tag.kubernetes.io/cluster/"))
                .and_then(|rest| rest.split('/').next())
        }
        _ => None,
    };
    name.filter(|name| !name.is_empty()).map(Cow::Borrowed)
}
