//! The products that this agent reads, and how they take effect. spec: remote-config §7

use std::sync::{Arc, Weak};

use config::{Config, keys};
use remote::product::agent_config::{self, merge};
use remote::product::agent_task::{self, Done, Task};
use remote::product::apm_sampling::{self, Targets};
use remote::product::{ApplyState, Configuration};
use remote::{Acks, Subscription};
use sampling::{RemoteSampling, RemoteTargets};

use crate::coordinator::Request;
use crate::flare::Job;
use crate::products::Product;
use crate::source::Shared;

/// One for each product that the configuration lets in.
pub(super) fn of(config: &Config, shared: &Arc<Shared>) -> Vec<Subscription> {
    let mut all = vec![tasks(Arc::downgrade(shared))];
    if config.bool(keys::REMOTE_CONFIG_AGENT_CONFIG) {
        all.push(agent_config(Arc::downgrade(shared)));
    }
    if config.bool(keys::REMOTE_CONFIG_APM_SAMPLING) && Product::Traces.is_on(config) {
        all.push(sampling(Arc::downgrade(shared), crate::settings::default_env(config)));
    }
    all
}

fn agent_config(shared: Weak<Shared>) -> Subscription {
    let apply = move |configurations: &[Configuration], acks: &Acks| {
        let Some(shared) = shared.upgrade() else { return };
        let merged = match merge(configurations) {
            Ok(merged) => merged,
            Err(faults) => {
                for (path, fault) in faults {
                    log::error!("the configuration of this agent stays as it is: {path}: {fault}");
                    acks.set(&path, ApplyState::Error(fault));
                }
                return;
            }
        };
        let state = match shared.set_remote_log_level(&merged.log_level) {
            Ok(true) => ApplyState::Acknowledged,
            // Somebody at this host wants it otherwise.
            Ok(false) => return,
            Err(error) => ApplyState::Error(error),
        };
        for configuration in configurations {
            acks.set(&configuration.path, state.clone());
        }
    };
    Subscription {
        product: agent_config::PRODUCT,
        capabilities: Vec::new(),
        apply: Box::new(apply),
    }
}

fn sampling(shared: Weak<Shared>, env: String) -> Subscription {
    let apply = move |configurations: &[Configuration], _: &Acks| {
        let Some(shared) = shared.upgrade() else { return };
        match apm_sampling::read(configurations) {
            Ok(None) => {}
            Ok(Some(sampling)) => {
                let Targets { priority_tps, errors_tps, rare_sampler_enabled } = sampling.of(&env);
                let all_envs = RemoteTargets {
                    target_tps: priority_tps,
                    errors_tps,
                    is_rare_enabled: rare_sampler_enabled,
                };
                log::info!("the samplers have remote targets: {all_envs:?}");
                let remote = RemoteSampling { all_envs, by_env: Vec::new() };
                // A coordinator that is gone has no lanes either.
                drop(shared.requests.send(Request::Sampling(Box::new(remote))));
            }
            Err(error) => log::error!("the samplers stay as they are: {error}"),
        }
    };
    Subscription {
        product: apm_sampling::PRODUCT,
        capabilities: Vec::new(),
        apply: Box::new(apply),
    }
}

/// Each task is done once. A flare takes a while; what became of it is told when it is known.
fn tasks(shared: Weak<Shared>) -> Subscription {
    let mut done = Done::default();
    let apply = move |configurations: &[Configuration], acks: &Acks| {
        let Some(shared) = shared.upgrade() else { return };
        for configuration in configurations {
            let path = &configuration.path;
            match Task::parse(configuration) {
                Ok(task) if done.begin(&task) => begin(&shared, &task, path, acks),
                Ok(_) => {}
                Err(error) => acks.set(path, ApplyState::Error(error)),
            }
        }
    };
    Subscription { product: agent_task::PRODUCT, capabilities: Vec::new(), apply: Box::new(apply) }
}

fn begin(shared: &Arc<Shared>, task: &Task, path: &str, acks: &Acks) {
    // Others, such as `tracer_flare`, are for tracers.
    if task.task_type != "flare" {
        return;
    }
    let (case_id, user_handle) = match flare_of(task) {
        Ok(wanted) => wanted,
        Err(error) => {
            log::warn!("a flare that was asked for is not sent: {error}");
            acks.set(path, ApplyState::Error(error));
            return;
        }
    };
    log::info!("a flare for case {case_id} is asked for through remote configuration");
    acks.set(path, ApplyState::Unacknowledged);
    let (path, acks) = (path.to_owned(), acks.clone());
    let done = Box::new(move |sent: Result<(), String>| {
        let state = sent.map_or_else(ApplyState::Error, |()| ApplyState::Acknowledged);
        acks.set(&path, state);
    });
    shared.flares.submit(shared, Job { case_id, user_handle, task_uuid: task.uuid.clone(), done });
}

/// The case that a flare belongs to, and whoever waits for it.
fn flare_of(task: &Task) -> Result<(String, String), String> {
    let case_id = task.argument("case_id").unwrap_or_default();
    flare::check_case(case_id)?;
    let user_handle = task.argument("user_handle").unwrap_or_default();
    if user_handle.is_empty() {
        return Err("the task names nobody who waits for the flare (`user_handle`)".to_owned());
    }
    Ok((case_id.to_owned(), user_handle.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flare_needs_a_case_and_somebody_who_waits() {
        let flare = |args: serde_json::Value| {
            let task = serde_json::json!({"task_type": "flare", "uuid": "u", "args": args});
            let configuration = Configuration {
                path: "datadog/2/AGENT_TASK/a/config".to_owned(),
                id: "a".to_owned(),
                version: 1,
                content: task.to_string().into(),
            };
            flare_of(&Task::parse(&configuration).expect("a task"))
        };
        let good = flare(serde_json::json!({"case_id": "12", "user_handle": "a@b"}));
        assert_eq!(good, Ok(("12".to_owned(), "a@b".to_owned())));
        let error = flare(serde_json::json!({"case_id": "0", "user_handle": "a@b"})).unwrap_err();
        assert!(error.contains("no case"), "{error}");
        let error = flare(serde_json::json!({"case_id": "12"})).unwrap_err();
        assert!(error.contains("user_handle"), "{error}");
    }
}
