//! What is in the way of a trace listener is named, and the rest runs.

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use bed::{Agent, Bed};
use status::Listener;

use super::client::Client;
use super::{assert_arrived, quick, send_all, spec, tcp_address, tcp_spec};

/// The one listener that is not there.
fn failed(agent: &Agent) -> Listener {
    let status = agent.status();
    let failed: Vec<_> = status.listeners.into_iter().filter(|one| !one.is_bound).collect();
    let [failed] = <[Listener; 1]>::try_from(failed).expect("one listener that failed");
    failed
}

#[test]
fn a_taken_port_is_named_and_the_socket_works() {
    let bed = Bed::new();
    let _other = TcpListener::bind(tcp_address(&bed)).expect("the bed's own port");
    let agent = bed.start(&quick(&bed).set("bind_host", "127.0.0.1"));
    let failed = failed(&agent);
    assert_eq!(failed.address, tcp_address(&bed));
    for word in ["in use by another process", "apm_config.receiver_port"] {
        assert!(failed.error.contains(word), "{failed:?}");
        assert!(agent.log().contains(word), "{}", agent.log());
    }
    let accepted = send_all(spec(&bed));
    assert_arrived(&bed.finish(agent).contents, &accepted);
}

#[test]
fn a_path_that_is_no_socket_is_left_alone_and_the_port_works() {
    let bed = Bed::new();
    let path = bed.trace_url(true).replace("unix://", "");
    fs::write(&path, "precious").expect("a writable directory");
    let agent = bed.start(&quick(&bed));
    let failed = failed(&agent);
    assert_eq!(failed.address, path);
    for word in ["is not a socket", "remove it"] {
        assert!(failed.error.contains(word), "{failed:?}");
        assert!(agent.log().contains(word), "{}", agent.log());
    }
    let accepted = send_all(tcp_spec(&bed));
    assert_arrived(&bed.finish(agent).contents, &accepted);
    assert_eq!(fs::read(&path).expect("still there"), b"precious");
}

/// The descriptor is standard input: the one that a child gets without further ado.
#[test]
fn an_inherited_listener_is_served() {
    for driver in ["auto", "epoll"] {
        let bed = Bed::new();
        let listener = TcpListener::bind(tcp_address(&bed)).expect("the bed's own port");
        let settings = quick(&bed).set("corelane.driver", driver);
        let agent = Agent::start_with(&bed, &settings, |command| {
            command.stdin(Stdio::from(OwnedFd::from(listener)));
            command.env("DD_APM_NET_RECEIVER_FD", "0");
        });
        let accepted = send_all(tcp_spec(&bed));
        assert_arrived(&bed.finish(agent).contents, &accepted);
    }
}

/// What is no listener is named, and one is opened.
#[test]
fn a_descriptor_that_is_no_listener_is_named() {
    let bed = Bed::new();
    let agent = Agent::start_with(&bed, &quick(&bed), |command| {
        command.env("DD_APM_NET_RECEIVER_FD", "0");
    });
    assert_eq!(Client::tcp(&bed).put("/info", "", b"").status, 200);
    for word in ["DD_APM_NET_RECEIVER_FD", "is not a listening"] {
        assert!(agent.log().contains(word), "{}", agent.log());
    }
    bed.finish(agent);
}
