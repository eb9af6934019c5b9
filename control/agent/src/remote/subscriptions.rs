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
use crate::source::Shared;

/// One for each product that the configuration lets in.
pub(super) fn of(config: &Config, shared: &Arc<Shared>) -> Vec<Subscription> {
    let mut all = vec![tasks()];
    if config.bool(keys::REMOTE_CONFIG_AGENT_CONFIG) {
        all.push(agent_config(Arc::downgrade(shared)));
    }
    if config.bool(keys::REMOTE_CONFIG_APM_SAMPLING) && config.bool(keys::APM_ENABLED) {
        all.push(sampling(Arc::downgrade(shared), crate::apm::env(config)));
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

/// Tasks are read and acknowledged; there is none yet that this agent can do.
fn tasks() -> Subscription {
    let mut done = Done::default();
    let apply = move |configurations: &[Configuration], acks: &Acks| {
        for configuration in configurations {
            let path = &configuration.path;
            match Task::parse(configuration) {
                Ok(task) => {
                    if done.begin(&task) {
                        acks.set(path, state_of(&task));
                    }
                }
                Err(error) => acks.set(path, ApplyState::Error(error)),
            }
        }
    };
    Subscription { product: agent_task::PRODUCT, capabilities: Vec::new(), apply: Box::new(apply) }
}

fn state_of(task: &Task) -> ApplyState {
    match task.task_type.as_str() {
        "flare" => {
            let case = task.case_id().map(str::to_owned);
            let reason = case.map_or_else(
                |error| error,
                |case| {
                    log::warn!(
                        "a flare for case {case} was asked for; this agent sends none: attach the \
                         output of `corelane status` and the log to the case"
                    );
                    "corelane sends no flares of its own; ask for the output of `corelane status` \
                     and the log"
                        .to_owned()
                },
            );
            ApplyState::Error(reason)
        }
        // Others, such as `tracer_flare`, are for tracers.
        _ => ApplyState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flares_are_refused_with_a_reason_and_tasks_of_tracers_left_alone() {
        let task = |text: &str| {
            let configuration = Configuration {
                path: "datadog/2/AGENT_TASK/a/config".to_owned(),
                id: "a".to_owned(),
                version: 1,
                content: text.to_owned().into(),
            };
            state_of(&Task::parse(&configuration).unwrap())
        };
        let flare = task(r#"{"task_type":"flare","uuid":"u","args":{"case_id":"12"}}"#);
        assert!(flare.error().contains("corelane status"));
        let bad = task(r#"{"task_type":"flare","uuid":"u","args":{"case_id":"0"}}"#);
        assert!(bad.error().contains("no case"));
        let other = task(r#"{"task_type":"tracer_flare","uuid":"u","args":{}}"#);
        assert_eq!(other, ApplyState::Unknown);
    }
}
