//! spec: dogstatsd §6 and the tables of §15.1 (special tags) and §15.2.

use super::*;
use crate::{Mapping, MatchType, Profile, TagAction, TagRule};
use proptest::prelude::*;

fn settings() -> NamingSettings {
    NamingSettings {
        namespace: "app".to_owned(),
        extra_tags: vec!["team:x".to_owned()],
        ..NamingSettings::default()
    }
}

fn rules(settings: &NamingSettings) -> Rules {
    Rules::new(settings).unwrap()
}

struct Seen {
    name: String,
    tags: Vec<String>,
    host: Option<String>,
    entity_id: Option<String>,
    cardinality: Option<String>,
    provenance: Provenance,
}

fn seen(labels: Labels<'_>) -> Seen {
    Seen {
        name: labels.name().to_owned(),
        tags: labels.tags().map(str::to_owned).collect(),
        host: match labels.host() {
            Host::Default => None,
            Host::Explicit(host) => Some(host.to_owned()),
        },
        entity_id: labels.entity_id().map(str::to_owned),
        cardinality: labels.cardinality().map(str::to_owned),
        provenance: labels.provenance(),
    }
}

fn name(settings: &NamingSettings, name: &[u8], tags: &[u8]) -> Option<Seen> {
    let mut scratch = Scratch::default();
    rules(settings).name_metric(name, tags, MetricOptions::default(), &mut scratch).map(seen)
}

#[test]
fn the_enrichment_table_of_the_spec() {
    for (raw, tags, final_name, host, final_tags) in [
        ("page", "a:b,a:b", "app.page", None, &["a:b", "a:b", "team:x"][..]),
        ("jvm.heap", "", "jvm.heap", None, &["team:x"]),
        ("jvmstuff", "", "jvmstuff", None, &["team:x"]),
        ("x", "host:h9", "app.x", Some("h9"), &["team:x"]),
    ] {
        let seen = name(&settings(), raw.as_bytes(), tags.as_bytes()).unwrap();
        assert_eq!(seen.name, final_name);
        assert_eq!(seen.host.as_deref(), host);
        assert_eq!(seen.tags, final_tags);
    }
    let mut scratch = Scratch::default();
    let rules = rules(&settings());
    let check = rules.label(b"host:h9", false, &mut scratch);
    assert_eq!(check.host(), Host::Explicit("h9"));
    assert_eq!(check.name(), "");
    assert_eq!(check.tags().collect::<Vec<_>>(), ["team:x"]);
}

#[test]
fn the_filter_list_sees_the_name_with_its_namespace() {
    let mut settings = NamingSettings { filterlist: vec!["app.page".to_owned()], ..settings() };
    assert!(name(&settings, b"page", b"").is_none());
    assert!(name(&settings, b"page2", b"").is_some());
    settings.filterlist_match_prefix = true;
    assert!(name(&settings, b"page2", b"").is_none());

    settings = NamingSettings { filterlist: vec!["app.lat.max".to_owned()], ..settings };
    assert!(name(&settings, b"lat", b"").is_some());
    assert!(rules(&settings).flush_filter(&[".max"]).matches("app.lat.max"));
}

/// Vectors P70 to P75.
#[test]
fn special_tags_are_taken_out_and_the_last_wins() {
    let plain = NamingSettings::default();
    let of = |tags: &str| name(&plain, b"metric", tags.as_bytes()).unwrap();

    assert_eq!(of("a:b").host, None);
    assert_eq!(of("host:web,env:prod").host.as_deref(), Some("web"));
    assert_eq!(of("host:web,env:prod").tags, ["env:prod"]);
    assert_eq!(of("host:,env:prod").host.as_deref(), Some(""));
    assert_eq!(of("host:a,host:b").host.as_deref(), Some("b"));
    assert_eq!(of("Host:a").tags, ["Host:a"]);

    assert_eq!(of("dd.internal.entity_id:foo,env:prod").entity_id.as_deref(), Some("foo"));
    assert_eq!(of("dd.internal.entity_id:none").entity_id.as_deref(), Some("none"));
    assert_eq!(of("dd.internal.entity_id:").entity_id, None);
    assert!(of("dd.internal.entity_id:none").tags.is_empty());

    assert_eq!(of("dd.internal.card:none,a:b").cardinality.as_deref(), Some("none"));
    assert_eq!(of("dd.internal.card:none,a:b").tags, ["a:b"]);

    assert_eq!(of("a:b").provenance, Provenance::DOGSTATSD);
    assert_eq!(of("dd.internal.jmx_check_name:kafka,a:b").provenance, Provenance::jmx(90));
    assert_eq!(of("dd.internal.jmx_check_name:mine,a:b").provenance, Provenance::jmx(9));
    assert_eq!(of("dd.internal.jmx_check_name:kafka,a:b").tags, ["a:b"]);
}

/// Vectors P51 and P54.
#[test]
fn tags_stay_as_they_are() {
    let plain = NamingSettings::default();
    let of = |tags: &str| name(&plain, b"metric", tags.as_bytes()).unwrap().tags;
    assert!(of("").is_empty());
    assert_eq!(of("a,,b,"), ["a", "", "b", ""]);
    assert_eq!(of(" a , b"), [" a ", " b"]);
}

#[test]
fn invalid_utf8_becomes_the_replacement_character() {
    let seen = name(&settings(), b"p\xff\xfeq", b"t\xe6\xbc:1,ok").unwrap();
    assert_eq!(seen.name, "app.p\u{fffd}\u{fffd}q");
    assert_eq!(seen.tags, ["t\u{fffd}:1", "ok", "team:x"]);
}

#[test]
fn mapper_comes_before_namespace_and_its_tags_may_be_special() {
    let mapping = Mapping {
        pattern: "job.*.*".to_owned(),
        match_type: MatchType::Wildcard,
        name: "job".to_owned(),
        tags: vec![("kind".to_owned(), "$1".to_owned()), ("host".to_owned(), "$2".to_owned())],
    };
    let profile =
        Profile { name: "p".to_owned(), prefix: "job.".to_owned(), mappings: vec![mapping] };
    let mut settings = NamingSettings { mapper_profiles: vec![profile], ..settings() };
    let mapped = name(&settings, b"job.etl.h1", b"host:h0,a:b").unwrap();
    assert_eq!(mapped.name, "app.job");
    assert_eq!(mapped.tags, ["a:b", "kind:etl", "team:x"]);
    assert_eq!(mapped.host.as_deref(), Some("h1"));

    settings.mapper_cache_entries = 0;
    assert_eq!(name(&settings, b"job.etl.h1", b"").unwrap().name, "app.job.etl.h1");
}

#[test]
fn own_tags_are_sorted_and_unique_and_not_special() {
    let settings = NamingSettings {
        extra_tags: ["z", "host:x", "a", "z"].map(str::to_owned).to_vec(),
        host_tags: vec!["os:linux".to_owned()],
        ..NamingSettings::default()
    };
    let mut rules = rules(&settings);
    let mut scratch = Scratch::default();
    let options = MetricOptions { with_host_tags: true, ..MetricOptions::default() };
    let labels = rules.name_metric(b"m", b"c", options, &mut scratch).unwrap();
    assert_eq!(labels.tags().collect::<Vec<_>>(), ["c", "a", "host:x", "z", "os:linux"]);
    assert_eq!(labels.host(), Host::Default);
}

#[test]
fn tag_filter_covers_client_own_and_origin_tags_of_distributions() {
    let rule = TagRule {
        metric_name: "app.m".to_owned(),
        action: TagAction::Exclude,
        tags: ["pod", "team"].map(str::to_owned).to_vec(),
    };
    let mut settings = NamingSettings { tag_filter: vec![rule], ..settings() };
    let mut scratch = Scratch::default();
    let mut tags_of = |settings: &NamingSettings, is_distribution| {
        let mut rules = rules(settings);
        let options = MetricOptions { is_distribution, ..MetricOptions::default() };
        let labels = rules.name_metric(b"m", b"pod:1,a:b", options, &mut scratch).unwrap();
        let tags: Vec<String> = labels.tags().map(str::to_owned).collect();
        (tags, labels.keeps_tag("pod:2"))
    };
    assert_eq!(tags_of(&settings, true), (vec!["a:b".to_owned()], false));
    let all = ["pod:1", "a:b", "team:x"].map(str::to_owned).to_vec();
    assert_eq!(tags_of(&settings, false), (all, true));
    settings.tag_filter_distributions_only = false;
    assert_eq!(tags_of(&settings, false), (vec!["a:b".to_owned()], false));
}

#[test]
fn clearing_the_profiles_recovers_from_a_faulty_mapper() {
    let mut settings =
        NamingSettings { mapper_profiles: vec![Profile::default()], ..NamingSettings::default() };
    assert!(Rules::new(&settings).is_err());
    settings.mapper_profiles.clear();
    assert!(Rules::new(&settings).is_ok());
}

proptest! {
    /// Whatever arrives, nothing panics, and a used scratch gives what a fresh one gives.
    #[test]
    fn any_line_is_named_alike_with_a_used_scratch(
        lines in prop::collection::vec((any::<Vec<u8>>(), any::<Vec<u8>>()), 1..8),
    ) {
        let mut rules = rules(&settings());
        let mut used = Scratch::default();
        for (raw, tags) in lines {
            let options = MetricOptions::default();
            let mut fresh = Scratch::default();
            let expected = rules.name_metric(&raw, &tags, options, &mut fresh).map(seen).unwrap();
            let found = rules.name_metric(&raw, &tags, options, &mut used).map(seen).unwrap();
            prop_assert_eq!(&found.name, &expected.name);
            prop_assert_eq!(&found.tags, &expected.tags);
            prop_assert_eq!(&found.host, &expected.host);
            prop_assert!(found.name.ends_with(&*String::from_utf8_lossy(&raw)));
        }
    }
}
