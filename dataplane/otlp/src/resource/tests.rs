use serde_json::{Value as Json, json};

use super::*;
use crate::json::{Message, message_to_protobuf};

fn message(attributes: &[(&str, Json)]) -> Vec<u8> {
    let value =
        |value: &Json| json!({if value.is_string() { "stringValue" } else { "intValue" }: value});
    let entry = |(key, held): &(&str, Json)| json!({"key": key, "value": value(held)});
    let attributes: Vec<Json> = attributes.iter().map(entry).collect();
    message_to_protobuf(Message::Resource, &json!({"attributes": attributes})).unwrap()
}

fn texts(attributes: &[(&str, &str)]) -> Vec<u8> {
    message(&attributes.iter().map(|(key, value)| (*key, json!(value))).collect::<Vec<_>>())
}

fn source(attributes: &[(&str, &str)]) -> Source {
    Resource::read(&texts(attributes)).unwrap().source()
}

fn serverless(platform: Platform, identifier: &str) -> Source {
    Source::Serverless { platform, identifier: identifier.to_owned() }
}

#[derive(serde::Deserialize)]
struct Line {
    #[serde(rename = "in")]
    attributes: serde_json::Map<String, Json>,
    out: Option<Expected>,
}

#[derive(serde::Deserialize)]
struct Expected {
    kind: String,
    identifier: String,
}

#[test]
fn sources_are_those_of_the_vectors() {
    let text = include_str!("../../../../tests/vectors/otlp_hostname.jsonl");
    for line in text.lines() {
        let Line { attributes, out } = serde_json::from_str(line).unwrap();
        let list: Vec<(&str, Json)> =
            attributes.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        let expected = out.map_or(Source::None, |Expected { kind, identifier }| {
            let platform = match kind.as_str() {
                "host" => return Source::Host(identifier),
                "task_arn" => Platform::EcsFargate,
                "azure_app_service" => Platform::AzureAppService,
                other => panic!("{other}"),
            };
            Source::Serverless { platform, identifier }
        });
        assert_eq!(Resource::read(&message(&list)).unwrap().source(), expected, "{line}");
    }
    assert_eq!(text.lines().count(), 32);
}

#[test]
fn a_container_app_is_named_by_its_replica_or_itself() {
    let platform = ("cloud.platform", "azure.container_apps");
    let replica = ("azure.container_app.instance.id", "r1");
    let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.App/containerApps/shop";
    let app = |attributes: &[_]| source(&[&[platform][..], attributes].concat());
    let expected = |identifier| serverless(Platform::AzureContainerApps, identifier);
    assert_eq!(app(&[("service.instance.id", "i"), replica]), expected("r1"));
    assert_eq!(app(&[("service.instance.id", "i")]), expected("i"));
    assert_eq!(app(&[("cloud.resource_id", id), ("service.name", "s")]), expected("shop"));
    assert_eq!(app(&[("host.name", "h")]), Source::Host("h".to_owned()));
}

#[test]
fn a_cluster_is_named_by_its_cloud() {
    let cluster = |attributes: &[_]| {
        let message = texts(attributes);
        let resource = Resource::read(&message).unwrap();
        resource.cluster_name().map(Cow::into_owned)
    };
    let azure =
        |group| cluster(&[("cloud.provider", "azure"), ("azure.resourcegroup.name", group)]);
    assert_eq!(azure("mc_group_name_west").as_deref(), Some("name"));
    assert_eq!(azure("MC_my_group_name_west").as_deref(), Some("name"));
    assert_eq!((azure("mc_name_west"), azure("x_group_name_west")), (None, None));
    let aws = |key| cluster(&[("cloud.provider", "aws"), (key, "owned")]);
    assert_eq!(aws("ec2.tag.kubernetes.io/cluster/c1").as_deref(), Some("c1"));
    assert_eq!(aws("ec2.tag.kubernetes.io/clusters"), None);
    assert_eq!(cluster(&[("ec2.tag.kubernetes.io/cluster/c1", "owned")]), None);
}

#[test]
fn attributes_become_tags_in_their_order() {
    let message = message(&[
        ("host.name", json!("h1")),
        ("k8s.pod.name", json!("p-1")),
        ("deployment.environment.name", json!("prod")),
        ("deployment.environment", json!("stage")),
        ("app.kubernetes.io/component", json!("db")),
        ("process.command", json!("run")),
        ("process.executable.path", json!("/bin/run")),
        ("process.executable.name", json!("")),
        ("service.name", json!("")),
        ("kube_qos", json!("")),
        ("language", json!(5)),
        ("os.type", json!("linux")),
    ]);
    assert_eq!(
        Resource::read(&message).unwrap().tags(),
        [
            "pod_name:p-1",
            "env:prod",
            "env:stage",
            "kube_app_component:db",
            "kube_qos:",
            "os.type:linux",
            "process.executable.path:/bin/run",
        ]
    );
}

#[test]
fn conventions_beat_tags_of_the_user() {
    let message = texts(&[
        ("datadog.container.tag.pod_name", "mine"),
        ("datadog.container.tag.team", "a"),
        ("datadog.container.tag.team", "b"),
        ("datadog.container.tag.", "x"),
        ("k8s.pod.name", "p-1"),
        ("container.image.tag", ""),
    ]);
    let resource = Resource::read(&message).unwrap();
    assert_eq!(resource.container_tags(), [("team", "a"), ("pod_name", "p-1")]);
    assert_eq!(resource.tags(), ["team:a", "pod_name:p-1"]);
}

#[test]
fn the_origin_is_a_container_or_a_pod() {
    let origin = |attributes: &[_]| Resource::read(&texts(attributes)).unwrap().origin();
    let pod = ("k8s.pod.uid", "u1");
    assert_eq!(origin(&[pod, ("container.id", "c1")]), "container_id://c1");
    assert_eq!(origin(&[pod, ("container.id", "")]), "kubernetes_pod_uid://u1");
    assert_eq!(origin(&[]), "");
}

#[test]
fn of_a_resource_too_many_attributes_are_refused() {
    let mut message = [0x0a, 0].repeat(crate::ATTRIBUTES_MAX);
    assert_eq!(Resource::read(&message).unwrap().attributes.0.len(), crate::ATTRIBUTES_MAX);
    message.extend([0x0a, 0]);
    assert_eq!(Resource::read(&message), Err(WireError::TooMany));
}
