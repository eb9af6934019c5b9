//! spec: dogstatsd §6.2 and the table of §15.3.

use super::*;

fn mapping(match_type: MatchType, pattern: &str, name: &str, tags: &[(&str, &str)]) -> Mapping {
    Mapping {
        pattern: pattern.to_owned(),
        match_type,
        name: name.to_owned(),
        tags: tags.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect(),
    }
}

fn profile(prefix: &str, mappings: Vec<Mapping>) -> Profile {
    Profile { name: "p".to_owned(), prefix: prefix.to_owned(), mappings }
}

fn map(mapping: Mapping, name: &str) -> Option<(String, Vec<String>)> {
    let mut mapper = Mapper::new(&[profile("test.", vec![mapping])], 10).unwrap().unwrap();
    let mapped = mapper.map(name)?;
    Some((mapped.name.to_string(), mapped.tags.iter().map(ToString::to_string).collect()))
}

fn some(name: &str, tags: &[&str]) -> Option<(String, Vec<String>)> {
    Some((name.to_owned(), tags.iter().map(|&tag| tag.to_owned()).collect()))
}

#[test]
fn the_table_of_the_spec() {
    use MatchType::{Regex, Wildcard};
    let jobs = |name, tags| mapping(Wildcard, "test.job.duration.*.*", name, tags);
    let typed = || jobs("test.job.duration", &[("job_type", "$1"), ("job_name", "$2")]);
    assert_eq!(
        map(typed(), "test.job.duration.my_type.my_name"),
        some("test.job.duration", &["job_type:my_type", "job_name:my_name"])
    );
    assert_eq!(map(typed(), "test.job.duration.a"), None);
    let suffixed = jobs("test.job.duration", &[("job_type", "${1}_x"), ("job_name", "${2}_y")]);
    assert_eq!(
        map(suffixed, "test.job.duration.a.b"),
        some("test.job.duration", &["job_type:a_x", "job_name:b_y"])
    );
    assert_eq!(
        map(jobs("test.hello.$2.$1", &[]), "test.job.duration.a.b"),
        some("test.hello.b.a", &[])
    );
    assert_eq!(
        map(mapping(Wildcard, "test.*_start", "test.start", &[("job", "$1")]), "test.my_job_start"),
        some("test.start", &["job:my_job"])
    );
    let regex =
        mapping(Regex, r"test\.job\.duration\.(.*)", "test.job.duration", &[("job_name", "$1")]);
    assert_eq!(
        map(regex, "test.job.duration.a.b.c"),
        some("test.job.duration", &["job_name:a.b.c"])
    );
}

#[test]
fn faults_name_the_profile_and_the_pattern() {
    for (pattern, match_type) in [
        ("test.[]duration.*", MatchType::Wildcard),
        ("test.**", MatchType::Wildcard),
        ("test.(", MatchType::Regex),
        ("(\\w{1000}){1000}", MatchType::Regex),
    ] {
        let profiles = [profile("test.", vec![mapping(match_type, pattern, "n", &[])])];
        let text = Mapper::new(&profiles, 10).unwrap_err().to_string();
        assert!(text.contains("\"p\""), "{text}");
        assert!(text.contains(&format!("{pattern:?}")), "{text}");
    }
}

#[test]
fn required_fields_are_required() {
    let good = || profile("t", vec![mapping(MatchType::Wildcard, "t", "n", &[])]);
    assert!(Mapper::new(&[good()], 1).is_ok());
    let faults: [fn(&mut Profile); 4] = [
        |p| p.name.clear(),
        |p| p.prefix.clear(),
        |p| p.mappings[0].pattern.clear(),
        |p| p.mappings[0].name.clear(),
    ];
    for fault in faults {
        let mut bad = good();
        fault(&mut bad);
        assert!(Mapper::new(&[bad], 1).is_err());
    }
}

#[test]
fn a_cache_size_of_zero_disables_the_mapper() {
    let profiles = [profile("*", vec![mapping(MatchType::Wildcard, "*", "n", &[])])];
    assert!(Mapper::new(&profiles, 0).unwrap().is_none());
    assert!(Mapper::new(&[], 10).unwrap().is_none());
}

#[test]
fn the_first_profile_of_the_prefix_decides_alone() {
    let wildcard = |pattern, name| mapping(MatchType::Wildcard, pattern, name, &[]);
    let profiles = [
        profile("a.", vec![wildcard("a.b", "first"), wildcard("a.*", "second")]),
        profile("*", vec![wildcard("*.*.*", "third")]),
    ];
    let mut mapper = Mapper::new(&profiles, 10).unwrap().unwrap();
    let mut name_of = |name: &str| mapper.map(name).map(|mapped| mapped.name.to_string());
    assert_eq!(name_of("a.b").as_deref(), Some("first"));
    assert_eq!(name_of("a.c").as_deref(), Some("second"));
    assert_eq!(name_of("a.c.d"), None);
    assert_eq!(name_of("b.c.d").as_deref(), Some("third"));
}

#[test]
fn a_mapping_never_leaves_a_metric_without_a_name() {
    assert_eq!(map(mapping(MatchType::Wildcard, "test.*", "$1", &[]), "test."), None);
}
