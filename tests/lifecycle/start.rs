//! What is in the way of a start is named, with the way out.

use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use bed::{Agent, Bed, Sender, Settings, Transport};
use serde_json::json;

/// The agent refuses to start with this status and says all of this.
fn refuses(bed: &Bed, settings: &Settings, status: i32, words: &[&str]) {
    let ended = Agent::spawn(bed, settings).wait();
    assert_eq!(ended.status.code(), Some(status), "{}", ended.log);
    for word in words {
        assert!(ended.log.contains(word), "`{word}` is not in:\n{}", ended.log);
    }
}

/// Settings with one listener, which must be there.
fn with_only(bed: &Bed, key: &str) -> Settings {
    let mut settings = bed.settings().set("dogstatsd_require_listener", true);
    for other in ["dogstatsd_socket", "dogstatsd_stream_socket"] {
        if other != key {
            settings = settings.set(other, "");
        }
    }
    if key == "dogstatsd_port" { settings } else { settings.set("dogstatsd_port", 0) }
}

#[test]
fn a_taken_port_is_named() {
    let bed = Bed::new();
    let _other = UdpSocket::bind(("127.0.0.1", bed.port())).expect("the bed's own port");
    let address = format!("127.0.0.1:{}", bed.port());
    let settings = with_only(&bed, "dogstatsd_port");
    refuses(&bed, &settings, 1, &[&address, "in use", "dogstatsd_port"]);
}

#[test]
fn a_socket_that_another_agent_serves_is_named() {
    let bed = Bed::new();
    let agent = bed.start(&with_only(&bed, "dogstatsd_socket"));
    let other = Bed::new();
    let settings =
        with_only(&other, "dogstatsd_socket").set("dogstatsd_socket", json!(bed.path("dsd.sock")));
    refuses(&other, &settings, 1, &["dsd.sock", "in use by another process"]);
    bed.finish(agent);
}

#[test]
fn a_missing_directory_is_named() {
    let bed = Bed::new();
    let path = bed.path("nowhere/dsd.sock");
    let settings = with_only(&bed, "dogstatsd_socket").set("dogstatsd_socket", json!(path));
    refuses(&bed, &settings, 1, &["nowhere/dsd.sock", "does not exist", "mkdir -p"]);
}

#[test]
fn a_path_that_is_no_socket_is_left_alone_and_named() {
    let bed = Bed::new();
    let path = bed.path("dsd.sock");
    fs::write(&path, "precious").expect("a writable directory");
    let settings = with_only(&bed, "dogstatsd_socket");
    refuses(&bed, &settings, 1, &["dsd.sock", "is not a socket", "remove it"]);
    assert_eq!(fs::read(&path).expect("still there"), b"precious");
}

/// Others go on working when one listener fails, and `status` says which.
#[test]
fn one_failed_listener_does_not_stop_the_others() {
    let bed = Bed::new();
    let settings = bed.settings().set("dogstatsd_socket", json!(bed.path("nowhere/dsd.sock")));
    let agent = bed.start(&settings);
    Sender::connect(&agent, Transport::UdsStream).send("still:1|c");
    let status = agent.settled();
    let failed: Vec<_> = status.listeners.iter().filter(|one| !one.is_bound).collect();
    assert_eq!(failed.len(), 1);
    assert!(failed[0].error.contains("mkdir -p"), "{failed:?}");
    let finished = bed.finish(agent);
    assert!((finished.contents.total_of("still") - 1.0).abs() < 1e-9);
}

#[test]
fn a_stale_socket_file_is_replaced() {
    let bed = Bed::new();
    drop(UnixDatagram::bind(bed.path("dsd.sock")).expect("a writable directory"));
    assert!(bed.path("dsd.sock").exists());
    let agent = bed.start(&bed.settings());
    Sender::connect(&agent, Transport::Uds).send("fresh:1|c");
    let finished = bed.finish(agent);
    assert!((finished.contents.total_of("fresh") - 1.0).abs() < 1e-9);
    assert!(!bed.path("dsd.sock").exists(), "removed at stop");
}

#[test]
fn an_unreadable_configuration_is_named() {
    let bed = Bed::new();
    fs::create_dir(bed.path("datadog.yaml")).expect("a writable directory");
    let ended = Agent::spawn_as_is(&bed).wait();
    assert_eq!(ended.status.code(), Some(2), "{}", ended.log);
    assert!(ended.log.contains("datadog.yaml"), "{}", ended.log);
}

/// A user who may not write where the socket should be.
#[test]
fn a_directory_without_permission_is_named() {
    const NOBODY: u32 = 65_534;
    let bed = Bed::new();
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("our own file");
    };
    let sockets = bed.path("sockets");
    fs::create_dir(&sockets).expect("a writable directory");
    let settings =
        with_only(&bed, "dogstatsd_socket").set("dogstatsd_socket", json!(sockets.join("d.sock")));
    fs::write(bed.path("datadog.yaml"), settings.text()).expect("a writable directory");
    let agent = if rustix::process::geteuid().is_root() {
        // Root may write anywhere: another user has to try, with a binary within reach.
        let binary = bed.path("corelane");
        fs::copy(bed::corelane(), &binary).expect("room for the binary");
        mode(bed.directory(), 0o755);
        mode(&bed.path("datadog.yaml"), 0o644);
        Agent::spawn_as(&bed, &binary, NOBODY)
    } else {
        mode(&sockets, 0o500);
        Agent::spawn_as_is(&bed)
    };
    let ended = agent.wait();
    mode(&sockets, 0o700);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
    for word in ["no permission to create", "d.sock", "write access"] {
        assert!(ended.log.contains(word), "`{word}` is not in:\n{}", ended.log);
    }
}
