//! Remote configuration: keys to settings, and what the agent does with its own products.
//!
//! ```text
//! Config -> plan -> remote::Remote (thread) --subscriptions--> AGENT_CONFIG: log level, in Shared
//!                        ^                                     APM_SAMPLING: samplers, Coordinator
//! lanes -> Routes -------'  /v0.7/config                       AGENT_TASK
//! ```

mod plan;
mod status;
mod subscriptions;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ::status::RemoteStatus;
use bytes::Bytes;
use config::{Config, keys};
use remote::Remote;
use remote::message::ClientTracer;
use server::{Answer, Refusal};

use self::plan::Plan;
use crate::source::Shared;

/// Where remote configuration is, once it runs: lanes hand over requests before that.
#[derive(Debug)]
pub(crate) struct RemoteSlot {
    /// What it will start with; taken by the start.
    plan: Mutex<Option<Plan>>,
    state: OnceLock<State>,
    disabled_reason: Option<String>,
    request_bytes_max: usize,
}

#[derive(Debug)]
enum State {
    On(Remote),
    Off(String),
}

impl RemoteSlot {
    /// What the configuration wants; nothing runs yet.
    pub(crate) fn new(config: &Config, host: &str) -> Self {
        let (plan, disabled_reason) = match plan::plan(config, host) {
            Ok(plan) => (Some(plan), None),
            Err(reason) => {
                if plan::unwanted(config).is_none() {
                    log::error!("remote configuration is off: {reason}");
                }
                (None, Some(reason))
            }
        };
        let request_bytes_max = config.bytes(keys::REMOTE_CONFIG_REQUEST_BYTES_MAX);
        Self {
            plan: Mutex::new(plan),
            state: OnceLock::new(),
            disabled_reason,
            request_bytes_max: usize::try_from(request_bytes_max).unwrap_or(usize::MAX),
        }
    }

    /// Whether tracers may ask.
    pub(crate) const fn is_on(&self) -> bool {
        self.disabled_reason.is_none()
    }

    /// Starts it, if it is on.
    pub(crate) fn start(&self, config: &Config, shared: &Arc<Shared>) {
        let plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner).take();
        let state = match plan {
            Some(plan) => {
                let subscriptions = subscriptions::of(config, shared);
                match Remote::start(plan.settings, plan.caller, subscriptions) {
                    Ok(remote) => State::On(remote),
                    Err(error) => State::Off(format!("there is no thread for it: {error}")),
                }
            }
            None => State::Off(self.disabled_reason.clone().unwrap_or_default()),
        };
        let is_first = self.state.set(state).is_ok();
        debug_assert!(is_first, "an agent starts once");
    }

    /// Longest request of a tracer.
    pub(crate) const fn request_bytes_max(&self) -> usize {
        self.request_bytes_max
    }

    /// Answers a request of a tracer for its configurations. `container_tags` are what is known of
    /// the tracer's container.
    pub(crate) async fn client_configs(&self, body: Bytes, container_tags: &str) -> Answer {
        let remote = match self.state.get() {
            Some(State::On(remote)) => remote,
            Some(State::Off(_)) => return Answer::not_found(),
            // A tracer would forget everything at a 404.
            None if self.is_on() => return Answer::json(200, Bytes::from_static(b"{}")),
            None => return Answer::not_found(),
        };
        let reply = remote.client_configs(body, |tracer| adjust(tracer, container_tags)).await;
        match reply.status {
            200 => Answer::json(200, reply.body),
            status => {
                let refusal = if status == 413 { Refusal::TooLarge } else { Refusal::Malformed };
                Answer::refused(status, refusal, &String::from_utf8_lossy(&reply.body))
            }
        }
    }

    /// Uses another API key.
    pub(crate) fn set_api_key(&self, key: &str) {
        if let Some(State::On(remote)) = self.state.get() {
            remote.set_api_key(key);
        }
    }

    /// What a status page shows.
    pub(crate) fn status(&self) -> Option<RemoteStatus> {
        Some(match self.state.get()? {
            State::On(remote) => status::status(&remote.report()),
            State::Off(reason) => {
                RemoteStatus { disabled_reason: reason.clone(), ..RemoteStatus::default() }
            }
        })
    }

    /// Ends it.
    pub(crate) fn stop(&self) {
        if let Some(State::On(remote)) = self.state.get() {
            remote.stop();
        }
    }
}

/// What its limits add up to: an update is read and verified beside what is in force. Requests of
/// tracers are part of the traffic of the receiver.
pub(crate) fn planned_bytes(config: &Config) -> u64 {
    if plan::unwanted(config).is_some() {
        return 0;
    }
    let store = config.bytes(keys::REMOTE_CONFIG_STORE_BYTES_MAX);
    let clients = config.bytes(keys::REMOTE_CONFIG_CLIENTS_BYTES_MAX);
    config.bytes(keys::REMOTE_CONFIG_ANSWER_BYTES_MAX) + 2 * store + clients
}

/// Names as spans carry them, so that one condition fits both. spec: remote-config §6.1
fn adjust(tracer: &mut ClientTracer, container_tags: &str) {
    for name in [&mut tracer.service, &mut tracer.env] {
        let mut normal = String::new();
        if obfuscate::normalize::tag_value(name.as_bytes(), &mut normal).is_written() {
            *name = normal;
        }
    }
    let tags = container_tags.split(',').filter(|tag| !tag.is_empty());
    tracer.container_tags.extend(tags.map(str::to_owned));
}

#[cfg(test)]
mod tests {
    use config::{FileSource, Sources};

    use super::*;

    #[test]
    fn its_limits_are_planned_for_where_it_is_on() {
        let planned = |more: &str| {
            let text = format!(
                "api_key: 0123456789abcdef0123456789abcdef\ncorelane: {{remote: \
                 {{answer_bytes_max: 1Mb, store_bytes_max: 2Mb, clients_bytes_max: 3Mb}}}}\n{more}"
            );
            let file = FileSource::Text { name: "f".into(), bytes: text.into() };
            planned_bytes(&config::load(&Sources { file, ..Sources::default() }).unwrap())
        };
        assert_eq!(planned(""), 8 << 20);
        assert_eq!(planned("remote_configuration: {enabled: false}"), 0);
    }

    /// spec: remote-config §6.1
    #[test]
    fn names_are_normalised_and_the_container_is_added() {
        let mut tracer = ClientTracer {
            service: "test ww w@".to_owned(),
            env: "test@ww".to_owned(),
            ..ClientTracer::default()
        };
        adjust(&mut tracer, "image_name:shop,pod_name:a");
        assert_eq!((&*tracer.service, &*tracer.env), ("test_ww_w", "test_ww"));
        assert_eq!(tracer.container_tags, ["image_name:shop", "pod_name:a"]);
        adjust(&mut tracer, "");
        assert_eq!((&*tracer.service, tracer.container_tags.len()), ("test_ww_w", 2));
    }
}
