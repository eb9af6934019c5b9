use proptest::prelude::*;

use super::*;
use crate::{EntityTags, PodContainer};

const PEER: &str = "container_id://peer";

fn tags_of(name: &str) -> EntityTags {
    let tag = |level: &str| vec![Arc::from(format!("{name}:{level}"))];
    EntityTags {
        low: tag("low"),
        orchestrator: tag("orch"),
        high: tag("high"),
        standard: tag("standard"),
    }
}

/// Knows the containers `peer`, `local`, `inode`, `external` and the pods `pod` and `outer`.
fn snapshot() -> OriginSnapshot {
    let entity = |name: &str| (Arc::from(name), Arc::new(tags_of(name)));
    OriginSnapshot {
        entities: [
            entity(PEER),
            entity("container_id://local"),
            entity("container_id://inode"),
            entity("container_id://external"),
            entity("kubernetes_pod_uid://pod"),
            entity("kubernetes_pod_uid://outer"),
        ]
        .into(),
        pods: [(
            Arc::from("outer"),
            vec![
                PodContainer {
                    name: "web".into(),
                    is_init: true,
                    entity: "container_id://init".into(),
                },
                PodContainer {
                    name: "web".into(),
                    is_init: false,
                    entity: "container_id://external".into(),
                },
            ],
        )]
        .into(),
        inodes: [(77, "container_id://inode".into())].into(),
        global_tags: tags_of("global"),
        ..OriginSnapshot::default()
    }
}

fn settings() -> OriginSettings {
    OriginSettings { is_peer_used: true, is_client_used: true, ..OriginSettings::default() }
}

fn unified() -> OriginSettings {
    OriginSettings { is_unified: true, ..settings() }
}

/// The entities whose low tags were added.
fn sources(settings: &OriginSettings, claims: &Claims<'_>) -> Vec<String> {
    let resolved = resolve(settings, claims, &snapshot());
    resolved
        .tags
        .iter()
        .filter_map(|tag| tag.strip_suffix(":low"))
        .map(|name| name.rsplit('/').next().unwrap_or(name).to_owned())
        .collect()
}

fn local(value: &str) -> LocalData<'_> {
    LocalData::parse(value.as_bytes())
}

fn external(value: &str) -> ExternalData<'_> {
    ExternalData::parse(value.as_bytes())
}

#[test]
fn legacy_unites_peer_client_and_global_tags() {
    let peer = Arc::from(PEER);
    let claims = Claims { peer: Some(&peer), local: local("local"), ..Claims::default() };
    assert_eq!(sources(&settings(), &claims), ["local", "peer", "global"]);
}

#[test]
fn legacy_prefers_the_pod_to_the_client_container() {
    let peer = Arc::from(PEER);
    let claims =
        Claims { peer: Some(&peer), local: local("local"), entity_id: b"pod", ..Claims::default() };
    assert_eq!(sources(&settings(), &claims), ["peer", "global", "pod"]);
    let preferred = OriginSettings { is_entity_id_preferred: true, ..settings() };
    assert_eq!(sources(&preferred, &claims), ["global", "pod"]);
    let none = Claims { entity_id: b"none", ..claims };
    assert_eq!(sources(&preferred, &none), ["local", "global"]);
}

#[test]
fn legacy_ignores_external_data() {
    let claims = Claims { external: external("cn-web,pu-outer"), ..Claims::default() };
    assert_eq!(sources(&settings(), &claims), ["global"]);
}

#[test]
fn an_inode_stands_in_for_a_missing_container_id() {
    let by_inode = Claims { local: local("in-77"), ..Claims::default() };
    assert_eq!(sources(&settings(), &by_inode), ["inode", "global"]);
    let both = Claims { local: local("ci-local,in-77"), ..Claims::default() };
    assert_eq!(sources(&settings(), &both), ["local", "global"]);
}

#[test]
fn unknown_inodes_are_reported_to_control() {
    let snapshot = snapshot();
    let claims = Claims { local: local("in-78"), ..Claims::default() };
    assert_eq!(resolve(&settings(), &claims, &snapshot).entity, None);
    assert_eq!(snapshot.inode_misses.count(), 1);
}

#[test]
fn unified_takes_the_first_that_is_known() {
    let peer = Arc::from(PEER);
    let mut claims = Claims {
        peer: Some(&peer),
        local: local("local"),
        external: external("it-false,cn-web,pu-outer"),
        entity_id: b"pod",
        cardinality: None,
    };
    assert_eq!(sources(&unified(), &claims), ["peer"]);
    claims.peer = None;
    assert_eq!(sources(&unified(), &claims), ["local"]);
    claims.local = local("in-77");
    assert_eq!(sources(&unified(), &claims), ["inode"]);
    claims.local = local("");
    assert_eq!(sources(&unified(), &claims), ["external"]);
    claims.external = external("it-true,cn-web,pu-outer");
    assert_eq!(sources(&unified(), &claims), ["pod"]);
    claims.entity_id = b"none";
    assert_eq!(sources(&unified(), &claims), ["outer"]);
    claims.external = external("");
    assert_eq!(sources(&unified(), &claims), ["global"]);
}

#[test]
fn cardinality_reveals_more_tags_level_by_level() {
    let peer = Arc::from(PEER);
    let count = |settings: &OriginSettings, cardinality| {
        let claims = Claims { peer: Some(&peer), cardinality, ..Claims::default() };
        resolve(settings, &claims, &snapshot()).tags.len()
    };
    assert_eq!(count(&unified(), None), 2);
    assert_eq!(count(&unified(), Some(Cardinality::Low)), 2);
    assert_eq!(count(&unified(), Some(Cardinality::Orchestrator)), 3);
    assert_eq!(count(&unified(), Some(Cardinality::High)), 4);
    let high = OriginSettings { cardinality: Cardinality::High, ..unified() };
    assert_eq!(count(&high, None), 4);
}

#[test]
fn opting_out_adds_nothing_not_even_global_tags() {
    let peer = Arc::from(PEER);
    let claims =
        Claims { peer: Some(&peer), cardinality: Some(Cardinality::None), ..Claims::default() };
    let resolved = resolve(&settings(), &claims, &snapshot());
    assert_eq!(resolved, Resolved { is_suppressed: true, ..Resolved::default() });
    assert!(resolve(&unified(), &claims, &snapshot()).is_suppressed);
    let forbidden = OriginSettings { is_optout_enabled: false, ..settings() };
    assert_eq!(sources(&forbidden, &claims), ["peer", "global"]);
}

#[test]
fn sources_that_are_switched_off_are_not_looked_at() {
    let peer = Arc::from(PEER);
    let claims = Claims {
        peer: Some(&peer),
        local: local("local"),
        external: external("cn-web,pu-outer"),
        ..Claims::default()
    };
    assert_eq!(sources(&OriginSettings::default(), &claims), ["global"]);
    let off = OriginSettings { is_unified: true, ..OriginSettings::default() };
    assert_eq!(sources(&off, &claims), ["global"]);
}

#[test]
fn an_unknown_entity_is_named_but_brings_no_tags() {
    let claims = Claims { local: local("other"), ..Claims::default() };
    let resolved = resolve(&settings(), &claims, &OriginSnapshot::default());
    assert_eq!(resolved.entity.as_deref(), Some("container_id://other"));
    assert!(resolved.tags.is_empty());
    let peer = Arc::from("container_id://unknown");
    let both = Claims { peer: Some(&peer), entity_id: b"pod", ..Claims::default() };
    let resolved = resolve(&settings(), &both, &snapshot());
    assert_eq!(resolved.entity.as_deref(), Some("kubernetes_pod_uid://pod"));
}

#[test]
fn ids_of_absurd_length_name_nothing() {
    let long = vec![b'a'; CLIENT_ID_BYTES_MAX + 1];
    let claims = Claims {
        local: LocalData { container_id: &long, inode: 0 },
        entity_id: &long,
        ..Claims::default()
    };
    assert_eq!(resolve(&settings(), &claims, &snapshot()).entity, None);
}

prop_compose! {
    fn any_settings()(bits in 0..32_u8, level in 0..4_usize) -> OriginSettings {
        let levels = [
            Cardinality::None, Cardinality::Low, Cardinality::Orchestrator, Cardinality::High,
        ];
        OriginSettings {
            is_peer_used: bits & 1 != 0,
            is_client_used: bits & 2 != 0,
            is_optout_enabled: bits & 4 != 0,
            is_unified: bits & 8 != 0,
            is_entity_id_preferred: bits & 16 != 0,
            cardinality: levels[level],
        }
    }
}

fn any_id() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"local".to_vec()),
        Just(b"pod".to_vec()),
        Just(b"none".to_vec()),
        Just(b"it-false,cn-web,pu-outer".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #[test]
    fn any_claim_resolves_to_a_sorted_set(
        settings in any_settings(),
        has_peer: bool,
        c in any_id(),
        e in any_id(),
        entity_id in any_id(),
        card in any_id(),
    ) {
        let peer = Arc::from(PEER);
        let claims = Claims {
            peer: has_peer.then_some(&peer),
            local: LocalData::parse(&c),
            external: ExternalData::parse(&e),
            entity_id: &entity_id,
            cardinality: Cardinality::parse(&card),
        };
        let resolved = resolve(&settings, &claims, &snapshot());
        prop_assert!(resolved.tags.is_sorted_by(|a, b| a < b));
        prop_assert!(!resolved.is_suppressed || resolved.tags.is_empty());
        if settings.is_unified {
            prop_assert!(resolved.tags.len() <= 4, "one entity at most: {:?}", resolved.tags);
        }
    }
}
