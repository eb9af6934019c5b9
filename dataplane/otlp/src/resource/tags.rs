//! Tags that the attributes of a resource become. spec: otlp §3.2.

use super::{container, text_of};
use crate::{Attributes, Value};

/// Keys that tell what a process runs; the first that is there becomes a tag.
const PROCESS: [&str; 4] = [
    "process.executable.name",
    "process.executable.path",
    "process.command",
    "process.command_line",
];

/// The tags, in the order of their attributes; that of the process comes last.
pub(super) fn tags(attributes: &Attributes<'_>) -> Vec<String> {
    let mut container = container::tags(attributes).into_iter().peekable();
    let mut tags = Vec::new();
    for (at, attribute) in attributes.iter().enumerate() {
        let key = &*attribute.key;
        if let Some((_, tag, value)) = container.next_if(|(of, ..)| *of == at) {
            tags.push(format!("{tag}:{value}"));
        }
        if let Some((tag, value)) = tag_of(key).zip(text_of(&attribute.value)) {
            tags.push(format!("{tag}:{value}"));
        }
        // These stay even when they are empty.
        if PASSED_ON.binary_search(&key).is_ok()
            && let Value::Text(value) = &attribute.value
        {
            tags.push(format!("{key}:{value}"));
        }
    }
    let process = PROCESS.iter().find_map(|key| Some((key, attributes.text(key)?)));
    tags.extend(process.map(|(key, value)| format!("{key}:{value}")));
    tags
}

fn tag_of(key: &str) -> Option<&'static str> {
    Some(match key {
        "deployment.environment" | "deployment.environment.name" | "tags.datadoghq.com/env" => {
            "env"
        }
        "service.name" | "tags.datadoghq.com/service" => "service",
        "service.version" | "tags.datadoghq.com/version" => "version",
        "app.kubernetes.io/name" => "kube_app_name",
        "app.kubernetes.io/instance" => "kube_app_instance",
        "app.kubernetes.io/version" => "kube_app_version",
        // The second is how the reference spells it.
        "app.kubernetes.io/component" | "app.kuberenetes.io/component" => "kube_app_component",
        "app.kubernetes.io/part-of" => "kube_app_part_of",
        "app.kubernetes.io/managed-by" => "kube_app_managed_by",
        "os.type" => "os.type",
        _ => return None,
    })
}

/// Keys of tags as the tagger has them, sorted.
static PASSED_ON: [&str; 68] = [
    "architecture",
    "availability-zone",
    "chronos_job",
    "chronos_job_owner",
    "cluster_name",
    "container_id",
    "container_name",
    "dd_remote_config_id",
    "dd_remote_config_rev",
    "display_container_name",
    "docker_image",
    "ecs_cluster_name",
    "ecs_container_name",
    "eks_fargate_node",
    "env",
    "git.commit.sha",
    "git.repository_url",
    "image_id",
    "image_name",
    "image_tag",
    "kube_app_component",
    "kube_app_instance",
    "kube_app_managed_by",
    "kube_app_name",
    "kube_app_part_of",
    "kube_app_version",
    "kube_container_name",
    "kube_cronjob",
    "kube_daemon_set",
    "kube_deployment",
    "kube_job",
    "kube_namespace",
    "kube_ownerref_kind",
    "kube_ownerref_name",
    "kube_priority_class",
    "kube_qos",
    "kube_replica_set",
    "kube_replication_controller",
    "kube_service",
    "kube_stateful_set",
    "language",
    "marathon_app",
    "mesos_task",
    "nomad_dc",
    "nomad_group",
    "nomad_job",
    "nomad_namespace",
    "nomad_task",
    "os_name",
    "os_version",
    "oshift_deployment",
    "oshift_deployment_config",
    "persistentvolumeclaim",
    "pod_name",
    "pod_phase",
    "rancher_container",
    "rancher_service",
    "rancher_stack",
    "region",
    "service",
    "short_image",
    "swarm_namespace",
    "swarm_service",
    "task_arn",
    "task_family",
    "task_name",
    "task_version",
    "version",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_sorted() {
        assert!(PASSED_ON.is_sorted());
    }
}
