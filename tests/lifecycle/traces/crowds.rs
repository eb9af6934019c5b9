//! Clients that come in thousands, dawdle, or vanish in the middle: memory stays bounded and other
//! tracers are served.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use bed::Bed;
use load::traces::{TraceSpec, TraceVersion};
use rustix::process::{Resource, getrlimit};

use super::client::{Client, MSGPACK, head};
use super::{
    assert_arrived, counter, quick, send_all, spec, tcp_address, tcp_spec, traces_of, wait_traces,
};

/// Each listener of a lane serves few at a time; those who never finish their head make room for
/// others within a second.
#[test]
fn clients_that_never_finish_their_heads_make_room() {
    for driver in ["auto", "epoll"] {
        let bed = Bed::new();
        let settings = quick(&bed)
            .set("corelane.lanes", 1)
            .set("corelane.driver", driver)
            .set("apm_config.max_connections", 8);
        let agent = bed.start(&settings);
        let mut lorises: Vec<UnixStream> = Vec::new();
        for _ in 0..20 {
            let path = bed.trace_url(true).replace("unix://", "");
            let mut loris = UnixStream::connect(path).expect("a listening agent");
            let begun = std::io::Write::write_all(&mut loris, b"PUT /v0.4/traces HTTP/1.1\r\nHos");
            begun.expect("an open connection");
            lorises.push(loris);
        }
        let accepted = send_all(TraceSpec { payloads_max: 8, connections: 2, ..spec(&bed) });
        let status = wait_traces(&agent, "dawdlers are closed", |traces| {
            counter(&traces.server, "head_timeouts") >= 20
        });
        assert_eq!(counter(&status.server, "requests_lost"), 0);
        drop(lorises);
        assert_arrived(&bed.finish(agent).contents, &accepted);
    }
}

/// A body that comes too slowly is refused as a timeout.
#[test]
fn a_body_that_never_ends_is_timed_out() {
    let bed = Bed::new();
    let agent = bed.start(&quick(&bed).set("apm_config.receiver_timeout", 1));
    let mut client = Client::unix(&bed);
    client.write(head("/v0.4/traces", MSGPACK, 1000).as_bytes()).expect("an open connection");
    client.write(b"\x91").expect("an open connection");
    let accepted = send_all(spec(&bed));
    let answer = client.answer().expect("an answer in time");
    assert_eq!((answer.status, &*answer.body), (408, "timeout\n"));
    let status = wait_traces(&agent, "the timeout is counted", |traces| {
        traces.refused.iter().any(|row| counter(&row.requests, "timeout") == 1)
    });
    assert_eq!(status.answers.get(&408), Some(&1));
    assert_arrived(&bed.finish(agent).contents, &accepted);
}

/// A client that closes its side still gets its answer; one that vanishes costs its request only.
#[test]
fn half_open_and_vanished_clients_are_accounted_for() {
    let bed = Bed::new();
    let agent = bed.start(&quick(&bed));
    for is_tcp in [true, false] {
        let mut client = if is_tcp { Client::tcp(&bed) } else { Client::unix(&bed) };
        let request = [head("/v0.4/traces", MSGPACK, 1).as_bytes(), b"\x90"].concat();
        client.write(&request).expect("an open connection");
        client.end_writing();
        assert_eq!(client.answer().map(|answer| answer.status), Some(200), "tcp: {is_tcp}");
        // Half a body, and the end.
        let mut client = if is_tcp { Client::tcp(&bed) } else { Client::unix(&bed) };
        client.write(head("/v0.4/traces", MSGPACK, 10).as_bytes()).expect("an open connection");
        client.write(b"\x91").expect("an open connection");
        client.end_writing();
        assert_eq!(client.answer().map(|answer| answer.status), Some(400), "tcp: {is_tcp}");
        for sent in [&b""[..], b"PUT", &request[..request.len() - 1]] {
            let mut client = if is_tcp { Client::tcp(&bed) } else { Client::unix(&bed) };
            client.write(sent).expect("an open connection");
        }
    }
    let accepted = send_all(tcp_spec(&bed));
    let status = wait_traces(&agent, "all are gone", |traces| {
        counter(&traces.server, "connections") == counter(&traces.server, "connections_closed")
    });
    let answers: u64 = status.answers.values().sum();
    let requests: u64 = status.requests.values().sum();
    assert_eq!(requests, answers + counter(&status.server, "requests_lost"));
    assert_arrived(&bed.finish(agent).contents, &accepted);
}

/// Idle connections cost little, and those among them who speak are served.
#[test]
fn thousands_of_connections_are_served() {
    const WANTED: u64 = 10_000;
    // A descriptor here and one in the agent for each, and some for everything else.
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let count = WANTED.min(limit.saturating_sub(2_000));
    let bed = Bed::new();
    let agent = bed.start(&quick(&bed).set("apm_config.max_connections", 20_000));
    let before = agent.status().memory.rss_bytes;
    let mut idle = Vec::new();
    for _ in 0..count {
        match TcpStream::connect(tcp_address(&bed)) {
            Ok(stream) => idle.push(stream),
            Err(error) => {
                assert_ne!(error.kind(), ErrorKind::ConnectionRefused, "after {}", idle.len());
                panic!("after {}: {error}", idle.len());
            }
        }
    }
    wait_traces(&agent, "all are accepted", |traces| {
        counter(&traces.server, "connections") >= count
    });
    let accepted = send_all(TraceSpec { version: TraceVersion::V10, ..tcp_spec(&bed) });
    let after = agent.status().memory.rss_bytes;
    let each = after.saturating_sub(before) / count.max(1);
    assert!(each < 16 << 10, "{each} bytes a connection: {before} to {after}");
    drop(idle);
    wait_traces(&agent, "all are gone", |traces| {
        counter(&traces.server, "connections_closed") >= count
    });
    assert_eq!(counter(&traces_of(&agent).server, "accept_errors"), 0);
    assert_arrived(&bed.finish(agent).contents, &accepted);
}
