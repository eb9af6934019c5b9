use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use super::*;
use crate::{Config, FileSource, LoadError, Sources, load};

/// Writing a program while another test starts one makes the system refuse to run it ("text file
/// busy"), so these tests take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn program(directory: &Path, body: &str, mode: u32) -> String {
    let path = directory.join("backend");
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path.display().to_string()
}

fn from_yaml(yaml: &str) -> Result<Config, LoadError> {
    let file = FileSource::Text { name: "f".to_owned(), bytes: yaml.into() };
    load(&Sources { file, ..Sources::default() })
}

fn failure(body: &str, mode: u32, more: &str) -> String {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    let path = program(directory.path(), body, mode);
    let yaml = format!("api_key: ENC[k]\nsecret_backend_command: {path}\n{more}");
    let message = from_yaml(&yaml).unwrap_err().to_string();
    message.replace(&path, "PROGRAM")
}

#[test]
fn secrets_replace_whole_texts_everywhere() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    let body = r#"[ "$1" = "a b" ] || exit 3
read request
[ "$request" = '{"secrets":["k","port","two","url"],"version":"1.0"}' ] || exit 4
printf '%s' '{"k":{"value":"key-of-main\r\n","error":null},"port":{"value":"9125"},"two":{"value":"key-two"},"url":{"value":"https://x.example"}}'"#;
    let path = program(directory.path(), body, 0o700);
    let yaml = format!(
        "api_key: ' ENC[k] '\ndogstatsd_port: ENC[port]\ndd_url: ENC[url]\nhostname: ENC[no\n\
         additional_endpoints:\n  https://y.example: ['ENC[two]', 'xENC[k]']\n\
         secret_backend_command: {path}\nsecret_backend_arguments: ['a b']\n\
         secret_backend_remove_trailing_line_break: true\n"
    );
    let config = from_yaml(&yaml).unwrap();
    assert_eq!(config.api_key(), "key-of-main");
    assert_eq!(config.port(keys::DOGSTATSD_PORT), 9125);
    assert_eq!(config.str(keys::DD_URL), "https://x.example");
    assert_eq!(config.str(keys::HOSTNAME), "ENC[no");
    let endpoints = config.endpoints("7.80.1");
    let second: Vec<&str> = endpoints[1].keys.iter().map(|key| key.key.as_str()).collect();
    assert_eq!(second, ["key-two", "xENC[k]"]);
    assert_eq!(config.source(keys::API_KEY).to_string(), "secret named in f:1");
    assert!(!format!("{:?} {}", endpoints, config.show(crate::ShowScope::All)).contains("key-two"));
}

/// What a secret stands for is checked when it is known, and costs its own endpoint alone.
#[test]
fn parts_of_log_endpoints_may_be_secrets() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    let body =
        r#"printf '%s' '{"h":{"value":"good"},"k":{"value":"key-two"},"w":{"value":"h/5ecret"}}'"#;
    let path = program(directory.path(), body, 0o700);
    let config = from_yaml(&format!(
        "secret_backend_command: {path}\nlogs_config: {{additional_endpoints: [\
         {{api_key: 'ENC[k]', Host: 'ENC[h]'}}, {{api_key: 'ENC[k]', Host: 'ENC[w]'}}]}}"
    ))
    .unwrap();
    let endpoints = config.log_endpoints();
    assert_eq!(endpoints.len(), 1);
    assert_eq!((&*endpoints[0].url, &*endpoints[0].keys[0].key), ("https://good", "key-two"));
    let found: Vec<_> = config.diagnostics().iter().map(ToString::to_string).collect();
    let fault = "item 2 has a bad value for `Host` and gets nothing";
    assert!(
        found.iter().any(|line| line.starts_with("error") && line.contains(fault)),
        "{found:?}"
    );
    assert!(found.iter().all(|line| !line.contains("5ecret")), "{found:?}");
}

#[test]
fn failures_say_what_to_do() {
    let answer = r#"echo '{"k":{"value":"v"}}'"#;
    for (body, mode, more, expected) in [
        (answer, 0o755, "", "PROGRAM: has rights 755, which let others in; chmod 700 it"),
        (answer, 0o600, "", "PROGRAM: is not executable; chmod 700 it"),
        ("echo '{}'", 0o700, "", "no secret for ENC[k]: the program left it out"),
        (r#"echo '{"k":{"value":""}}'"#, 0o700, "", "no secret for ENC[k]: the secret is empty"),
        (r#"echo '{"k":{"error":"denied"}}'"#, 0o700, "", "no secret for ENC[k]: denied"),
        ("echo password: x >&2; exit 5", 0o700, "", "failed (exit status: 5): password: \"*****"),
        ("echo '{'", 0o700, "", "must print a JSON object (error at line 2"),
        (
            "echo 0123456789012345678901234567890123456789012345678901234567890123456789",
            0o700,
            "secret_backend_output_max_size: 64\n",
            "larger than 64 bytes",
        ),
        ("exec sleep 60", 0o700, "secret_backend_timeout: 1\n", "took longer than 1 s"),
        ("exec >&- 2>&-; exec sleep 60", 0o700, "secret_backend_timeout: 1\n", "longer than 1 s"),
    ] {
        let message = failure(body, mode, more);
        assert!(message.contains(expected), "{body}: {message}");
    }
    let group = "secret_backend_command_allow_group_exec_perm: true\n";
    assert!(failure("echo '{}'", 0o750, group).contains("left it out"));
    assert!(failure("echo '{}'", 0o770, group).contains("chmod 750"));
}

#[test]
fn without_a_source_the_key_is_named() {
    let message = from_yaml("app_key: ENC[x]\n").unwrap_err().to_string();
    assert!(message.starts_with("app_key is ENC[x], but there is no source of secrets"));
    let message = from_yaml("api_key: ENC[x]\nsecret_backend_type: aws.ssm\n").unwrap_err();
    assert!(message.to_string().contains("not built in"));
    let message = from_yaml("api_key: ENC[x]\nsecret_backend_type: file.json\n").unwrap_err();
    assert!(message.to_string().contains("file_path"));
    let message = from_yaml("api_key: ENC[x]\nsecret_backend_command: /nowhere/x\n").unwrap_err();
    assert!(message.to_string().contains("could not be run"));
    let message = from_yaml("api_key: ENC[x]\nsecret_backend_command: sh\n").unwrap_err();
    assert!(message.to_string().contains("must be a full path"));
}

#[test]
fn handles_that_are_not_in_effect_are_not_asked_for() {
    let file = FileSource::Text { name: "f".to_owned(), bytes: b"api_key: ENC[x]\n".to_vec() };
    let env = [("DD_API_KEY".to_owned(), "plain".to_owned())].into();
    assert_eq!(load(&Sources { file, env, ..Sources::default() }).unwrap().api_key(), "plain");
}

#[test]
fn files_hold_secrets_and_are_read_again() {
    let directory = tempfile::tempdir().unwrap();
    for (name, kind, old, new) in [
        (
            "s.json",
            "file.json",
            r#"{"k": "old-key", "s": "datadoghq.eu"}"#,
            r#"{"k": "new-key", "s": "us5.datadoghq.com"}"#,
        ),
        ("s.yaml", "file.yaml", "k: old-key\ns: datadoghq.eu\n", "k: new-key\ns: us5\n"),
    ] {
        let path = directory.path().join(name);
        std::fs::write(&path, old).unwrap();
        let yaml = format!(
            "api_key: ENC[k]\nsite: ENC[s]\nsecret_backend_type: {kind}\n\
             secret_backend_config: {{file_path: {}}}\n",
            path.display()
        );
        let before = from_yaml(&yaml).unwrap();
        assert_eq!((before.api_key(), before.str(keys::SITE)), ("old-key", "datadoghq.eu"));
        std::fs::write(&path, new).unwrap();
        let mut after = before.clone();
        after.refresh_secrets().unwrap();
        // Only keys change while running.
        assert_eq!((after.api_key(), after.str(keys::SITE)), ("new-key", "datadoghq.eu"));
        let changes = Config::changes(&before, &after);
        assert_eq!(changes.len(), 1);
        assert_eq!((changes[0].entry.name(), changes[0].new.as_str()), ("api_key", "***"));
        std::fs::write(&path, "{}").unwrap();
        assert!(after.refresh_secrets().unwrap_err().to_string().contains("does not have it"));
        assert_eq!(after.api_key(), "new-key");
    }
}

#[test]
fn broken_secret_files_do_not_show_their_text() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s.json");
    std::fs::write(&path, "{\"k\": hunter2}").unwrap();
    let yaml = format!(
        "api_key: ENC[k]\nsecret_backend_type: file.json\nsecret_backend_config: {{file_path: {}}}\n",
        path.display()
    );
    let message = from_yaml(&yaml).unwrap_err().to_string();
    assert!(message.contains("breaks at line 1") && !message.contains("hunter2"), "{message}");
}

#[test]
fn handles_name_one_of_several_sources() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    std::fs::write(path("s.json"), r#"{"k": "key-of-json", "a;b": "with-semicolon"}"#).unwrap();
    std::fs::write(path("s.yaml"), "k: key-of-yaml\n").unwrap();
    let backends = format!(
        "multi_secret_backends:\n  one: {{type: file.json, config: {{file_path: {}}}}}\n  \
         two: {{type: file.yaml, config: {{file_path: {}}}}}\n",
        path("s.json"),
        path("s.yaml")
    );
    let yaml =
        format!("api_key: ENC[one;k]\napp_key: ENC[two;k]\nhostname: ENC[one;a;b]\n{backends}");
    let config = from_yaml(&yaml).unwrap();
    assert_eq!((config.api_key(), config.str(keys::APP_KEY)), ("key-of-json", "key-of-yaml"));
    assert_eq!(config.str(keys::HOSTNAME), "with-semicolon");
    for (handle, expected) in [
        ("k", "no secret for ENC[k]: with multi_secret_backends it is to be"),
        ("three;k", "no secret for ENC[three;k]: multi_secret_backends has none of that name"),
        ("two;x", "no secret for ENC[two;x]: the file does not have it"),
    ] {
        let message = from_yaml(&format!("api_key: ENC[{handle}]\n{backends}")).unwrap_err();
        assert!(message.to_string().starts_with(expected), "{handle}: {message}");
    }
    for (source, expected) in [
        ("{x: {type: aws.ssm}}", "multi_secret_backends.x.type aws.ssm is not built in"),
        ("{x: {type: file.json}}", "multi_secret_backends.x.type file.json needs its settings"),
        ("{'x;y': {type: file.json}}", "has a name with a semicolon"),
    ] {
        let yaml = format!("api_key: ENC[x;k]\nmulti_secret_backends: {source}\n");
        let message = from_yaml(&yaml).unwrap_err().to_string();
        assert!(message.contains(expected), "{source}: {message}");
    }
}

#[test]
fn one_source_wins_over_several() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s.yaml").display().to_string();
    std::fs::write(&path, "'a;k': key-of-one\n").unwrap();
    let config = from_yaml(&format!(
        "api_key: ENC[a;k]\nsecret_backend_type: file.yaml\n\
         secret_backend_config: {{file_path: {path}}}\n\
         multi_secret_backends: {{a: {{type: file.json, config: {{file_path: /nowhere}}}}}}\n"
    ))
    .unwrap();
    assert_eq!(config.api_key(), "key-of-one");
    let warnings: Vec<String> = config.diagnostics().iter().map(ToString::to_string).collect();
    assert!(warnings.iter().any(|it| it.contains("multi_secret_backends")), "{warnings:?}");
}
