//! Whether this agent runs beside its tasks on Fargate, where a host has no name.
//! spec: cloud §11, proxies §2.4.

use config::{Config, keys};

/// Who runs the containers here: value of the tag `orchestrator`; none on a host.
pub(crate) fn orchestrator(config: &Config) -> Option<&'static str> {
    of(config.bool(keys::EKS_FARGATE), |name| std::env::var(name).ok())
}

fn of(is_eks: bool, variable: impl Fn(&str) -> Option<String>) -> Option<&'static str> {
    let is_ecs = || {
        variable("ECS_FARGATE").is_some_and(|value| !value.is_empty())
            || variable("AWS_EXECUTION_ENV").is_some_and(|value| value == "AWS_ECS_FARGATE")
    };
    if is_eks { Some("fargate_eks") } else { is_ecs().then_some("fargate_ecs") }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_key_says_eks_and_the_environment_ecs() {
        let nothing = |_: &str| None;
        let set = |wanted: &'static str, value: &'static str| {
            move |name: &str| (name == wanted).then(|| value.to_owned())
        };
        assert_eq!(of(false, nothing), None);
        assert_eq!(of(true, nothing), Some("fargate_eks"));
        assert_eq!(of(true, set("ECS_FARGATE", "true")), Some("fargate_eks"));
        assert_eq!(of(false, set("ECS_FARGATE", "true")), Some("fargate_ecs"));
        assert_eq!(of(false, set("ECS_FARGATE", "")), None);
        assert_eq!(of(false, set("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE")), Some("fargate_ecs"));
        assert_eq!(of(false, set("AWS_EXECUTION_ENV", "AWS_ECS_EC2")), None);
    }
}
