use serde_json::Value;

use super::*;

fn on_host(os: &str) -> Candidates {
    Candidates { os: Some(os.to_owned()), is_uts_of_host: true, ..Candidates::default() }
}

#[test]
fn precedence_of_the_vectors() {
    let mut checked = 0;
    for line in include_str!("../../../../tests/vectors/host_cloud.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).expect("json");
        if vector["fn"] != "hostname.resolve" {
            continue;
        }
        let text = |key: &str| vector["in"][key].as_str().map(str::to_owned);
        let flag = |key: &str| vector["in"][key].as_bool();
        let settings = NameSettings {
            hostname: text("config").unwrap_or_default(),
            is_fqdn_wanted: flag("hostname_fqdn").unwrap_or(false),
            is_instance_id_preferred: flag("ec2_prioritize_instance_id_as_hostname")
                .unwrap_or(false),
            ..NameSettings::default()
        };
        let candidates = Candidates {
            file: HostNameFile::NotConfigured,
            is_fargate: flag("fargate").unwrap_or(false),
            gce: text("gce"),
            azure: text("azure"),
            fqdn: text("fqdn"),
            container: text("container"),
            os: text("os"),
            is_uts_of_host: flag("uts_is_host").unwrap_or(true),
            aws: text("aws"),
        };
        match resolve_name(&settings, &candidates) {
            Ok(found) => {
                assert_eq!(Value::from(found.name), vector["out"]["hostname"], "{line}");
                assert_eq!(found.provider.as_str(), vector["out"]["provider"], "{line}");
            }
            Err(refused) => {
                let expected = vector["out"]["error"].as_str().expect("an error");
                assert!(refused.to_string().starts_with(expected), "{line}");
            }
        }
        checked += 1;
    }
    assert_eq!(checked, 11);
}

#[test]
fn an_invalid_configured_name_falls_through_with_a_warning() {
    let settings = NameSettings { hostname: "my_host".into(), ..NameSettings::default() };
    let found = resolve_name(&settings, &on_host("web01")).expect("a name");
    assert_eq!((&*found.name, found.provider), ("web01", Provider::Os));
    let [warning] = &found.warnings[..] else { panic!("{:?}", found.warnings) };
    assert!(warning.to_string().starts_with("`hostname: my_host` is ignored because it is not"));
}

#[test]
fn the_file_comes_after_the_configuration() {
    let mut settings =
        NameSettings { hostname_file: "/etc/dd-name".into(), ..NameSettings::default() };
    let file = HostNameFile::Line("filed".into());
    let candidates = Candidates { file, ..on_host("web01") };
    let found = resolve_name(&settings, &candidates).expect("a name");
    assert_eq!((&*found.name, found.provider), ("filed", Provider::HostNameFile));
    settings.hostname = "given".into();
    let found = resolve_name(&settings, &candidates).expect("a name");
    assert_eq!(&*found.name, "given");
}

#[test]
fn unusable_files_are_reported() {
    let settings = NameSettings { hostname_file: "/f".into(), ..NameSettings::default() };
    for file in [HostNameFile::Unreadable("not found".into()), HostNameFile::Line("a b".into())] {
        let candidates = Candidates { file, ..on_host("web01") };
        let found = resolve_name(&settings, &candidates).expect("a name");
        assert_eq!(found.provider, Provider::Os);
        assert!(found.warnings[0].to_string().contains("/f"));
    }
}

#[test]
fn a_container_without_trust_is_told_what_to_do() {
    let candidates = Candidates { is_uts_of_host: false, ..on_host("3f2a") };
    let refused = resolve_name(&NameSettings::default(), &candidates).expect_err("no name");
    let text = refused.to_string();
    assert!(text.contains("hostname_trust_uts_namespace") && text.contains("DD_HOSTNAME"));
    let trusting = NameSettings { is_uts_trusted: true, ..NameSettings::default() };
    assert_eq!(resolve_name(&trusting, &candidates).expect("a name").name, "3f2a");
}

#[test]
fn an_error_repeats_why_candidates_were_refused() {
    let settings = NameSettings { hostname: "localhost".into(), ..NameSettings::default() };
    let refused = resolve_name(&settings, &Candidates::default()).expect_err("no name");
    assert!(refused.to_string().contains("`hostname: localhost` is ignored"));
}

#[test]
fn a_configured_default_name_warns_unless_forced() {
    let mut settings = NameSettings { hostname: "IP-10-0-0-1".into(), ..NameSettings::default() };
    let warned = resolve_name(&settings, &Candidates::default()).expect("a name");
    assert!(matches!(warned.warnings[..], [NameWarning::NotCanonical(_)]));
    settings.is_config_canonical = true;
    let quiet = resolve_name(&settings, &Candidates::default()).expect("a name");
    assert!(quiet.warnings.is_empty());
}

#[test]
fn windows_default_names_count_when_asked() {
    let candidates = Candidates { aws: Some("i-0abc".into()), ..on_host("EC2AMAZ-XYZ") };
    let mut settings = NameSettings::default();
    assert_eq!(resolve_name(&settings, &candidates).expect("a name").provider, Provider::Os);
    settings.has_windows_prefix = true;
    assert_eq!(resolve_name(&settings, &candidates).expect("a name").provider, Provider::Aws);
}
