//! Endpoints as configured become targets: parsed, cleaned, joined.

use crate::base_url::{BaseUrl, UrlError, endpoint_identity, without_userinfo};
use crate::keys::{ApiKey, normalise_keys};
use crate::settings::{Accepts, Endpoint, Settings};

/// An endpoint after normalisation.
pub(super) struct Target {
    pub(super) url: String,
    pub(super) identity: String,
    pub(super) base: BaseUrl,
    pub(super) keys: Vec<ApiKey>,
    pub(super) accepts: Accepts,
}

/// Parses URLs, cleans keys, joins endpoints of one URL, leaves out those without a key.
pub(super) fn normalise_endpoints(
    settings: &Settings,
    endpoints: &[Endpoint],
) -> Result<Vec<Target>, UrlError> {
    let mut targets: Vec<Target> = Vec::with_capacity(endpoints.len());
    for endpoint in endpoints {
        let prefix = settings.identity.host_prefix.as_ref();
        let base = BaseUrl::parse(&endpoint.url, prefix, settings.identity.resolves_absolute)?;
        let identity = endpoint_identity(&endpoint.url);
        let keys = normalise_keys(&endpoint.keys);
        if let Some(target) = targets.iter_mut().find(|target| target.identity == identity) {
            let fresh: Vec<_> = keys.into_iter().filter(|key| !target.keys.contains(key)).collect();
            target.keys.extend(fresh);
        } else if keys.is_empty() {
            log::info!("endpoint {} has no api key, ignored", without_userinfo(&endpoint.url));
        } else {
            let (url, accepts) = (endpoint.url.clone(), endpoint.accepts);
            targets.push(Target { url, identity, base, keys, accepts });
        }
    }
    Ok(targets)
}
