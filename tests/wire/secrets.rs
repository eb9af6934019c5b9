//! `ENC[...]` values come from a program.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::deliver::{deliver, names};

const SECRET: &str = "fedcba9876543210fedcba9876543210";

#[test]
fn the_api_key_comes_from_the_secret_program() {
    let finished = deliver(
        |bed, settings| {
            let program = bed.path("secrets.sh");
            let answer = json!({ "the_key": { "value": SECRET, "error": null } });
            let script = format!("#!/bin/sh\ncat > /dev/null\necho '{answer}'\n");
            fs::write(&program, script).expect("a writable directory");
            let owner_only = fs::Permissions::from_mode(0o700);
            fs::set_permissions(&program, owner_only).expect("our own file");
            settings.set("api_key", "ENC[the_key]").set("secret_backend_command", json!(program))
        },
        &["m:1|c"],
    );
    assert_eq!(names(&finished), ["m"]);
    let requests = &finished.contents.requests;
    assert!(!requests.is_empty());
    assert!(requests.iter().all(|request| request.key.as_deref() == Some(SECRET)));
    assert!(!finished.log.contains(SECRET), "the key is in the log");
}
