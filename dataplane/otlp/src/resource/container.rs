//! Tags of a container. spec: otlp §3.3.

use std::collections::BTreeSet;

use super::text_of;
use crate::Attributes;

/// Prefix of the keys of tags that users give a container.
const CUSTOM: &str = "datadog.container.tag.";

/// The tags, each with the place of its attribute. What the conventions name beats what a user
/// calls the same; of equal keys the first counts.
pub(super) fn tags<'a>(attributes: &'a Attributes<'_>) -> Vec<(usize, &'a str, &'a str)> {
    let texts = || {
        let texts = attributes.iter().enumerate();
        texts.filter_map(|(at, held)| Some((at, &*held.key, text_of(&held.value)?)))
    };
    let named = |key: &str| (!key.starts_with(CUSTOM)).then(|| tag_of(key)).flatten();
    let conventional: BTreeSet<&str> = texts().filter_map(|(_, key, _)| named(key)).collect();
    let (mut seen, mut tags) = (BTreeSet::new(), Vec::new());
    for (at, key, value) in texts() {
        let custom = || {
            let key = key.strip_prefix(CUSTOM)?;
            (!key.is_empty() && !conventional.contains(key)).then_some(key)
        };
        if let Some(tag) = named(key).or_else(custom)
            && seen.insert(tag)
        {
            tags.push((at, tag, value));
        }
    }
    tags
}

fn tag_of(key: &str) -> Option<&'static str> {
    Some(match key {
        "container.id" => "container_id",
        "container.name" => "container_name",
        "container.image.name" => "image_name",
        "container.image.tag" => "image_tag",
        "container.runtime" => "runtime",
        "cloud.provider" => "cloud_provider",
        "cloud.region" => "region",
        "cloud.availability_zone" => "zone",
        "aws.ecs.task.family" => "task_family",
        "aws.ecs.task.arn" => "task_arn",
        "aws.ecs.cluster.arn" => "ecs_cluster_name",
        "aws.ecs.container.arn" => "ecs_container_name",
        "aws.ecs.task.revision" => "task_version",
        "k8s.container.name" => "kube_container_name",
        "k8s.cluster.name" => "kube_cluster_name",
        "k8s.deployment.name" => "kube_deployment",
        "k8s.replicaset.name" => "kube_replica_set",
        "k8s.statefulset.name" => "kube_stateful_set",
        "k8s.daemonset.name" => "kube_daemon_set",
        "k8s.job.name" => "kube_job",
        "k8s.cronjob.name" => "kube_cronjob",
        "k8s.namespace.name" => "kube_namespace",
        "k8s.pod.name" => "pod_name",
        _ => return None,
    })
}
