//! Trouble of intakes and clients.

use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use bed::{Bed, Upstream, UpstreamAnswer as Answer};

use crate::client::{MOMENT, ask, connect, head, said};
use crate::{proxy, settings, with_second};

#[test]
fn a_stalled_copy_is_cut_off_and_delays_nothing() {
    let bed = Bed::new();
    let first = Upstream::start(Answer::Status(200, "ok"));
    let second = Upstream::start(Answer::Stall);
    let settings = with_second(settings(&bed, &first), &second)
        .set("apm_config.profiling_receiver_timeout", 2)
        .set("apm_config.receiver_timeout", 2);
    let agent = bed.start(&settings);
    let said = ask(&bed, "/profiling/v1/input", &[], &vec![b'x'; 1 << 20]);
    assert_eq!((said.status, said.body.as_str()), (200, "ok"));
    // The answer came while the copy was still stalled.
    let now = proxy(&agent.status(), "profiling");
    assert_eq!((now.copies_sent, now.copies_failed.len()), (0, 0), "{now:?}");
    let snapshot = agent.wait_status("the copy is given up", |now| {
        proxy(now, "profiling").copies_failed.get("timeout") == Some(&1)
    });
    assert_eq!(proxy(&snapshot, "profiling").copies_in_flight, 0);
    second.go_on();
    bed.finish(agent);
}

#[test]
fn a_silent_intake_is_a_timeout_and_says_so_to_profilers_alone() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Stall);
    let settings = settings(&bed, &upstream)
        .set("apm_config.profiling_receiver_timeout", 1)
        .set("apm_config.receiver_timeout", 1);
    let agent = bed.start(&settings);
    let said = ask(&bed, "/profiling/v1/input", &[], b"profile");
    assert_eq!((said.status, said.body.as_str()), (408, "deadline exceeded"));
    let said = ask(&bed, "/symdb/v1/input", &[], b"symbols");
    assert_eq!((said.status, said.body.as_str()), (502, ""));
    let snapshot =
        agent.wait_status("counted", |now| proxy(now, "symdb").refused.get("timeout") == Some(&1));
    assert_eq!(proxy(&snapshot, "profiling").refused["timeout"], 1);
    upstream.go_on();
    bed.finish(agent);
}

#[test]
fn an_intake_that_is_not_there_or_breaks_off_is_502() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::CutAfter(100_000));
    // Port 9 of this host has no listener.
    let settings = settings(&bed, &upstream).set("apm_config.symdb_dd_url", "http://127.0.0.1:9/");
    let agent = bed.start(&settings);
    let cut = ask(&bed, "/profiling/v1/input", &[], &vec![b'x'; 8 << 20]);
    assert_eq!(cut.status, 502, "{cut:?}");
    assert!(!cut.body.is_empty(), "the reason is told");
    let absent = ask(&bed, "/symdb/v1/input", &[], b"symbols");
    assert_eq!((absent.status, absent.body.as_str()), (502, ""));
    let snapshot =
        agent.wait_status("counted", |now| proxy(now, "symdb").refused.get("upstream") == Some(&1));
    assert_eq!(proxy(&snapshot, "profiling").refused["upstream"], 1);
    bed.finish(agent);
}

#[test]
fn an_early_refusal_reaches_the_client() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Early(413));
    let agent = bed.start(&settings(&bed, &upstream));
    let refused = ask(&bed, "/profiling/v1/input", &[], &vec![b'x'; 4 << 20]);
    assert_eq!((refused.status, refused.body.as_str()), (413, "no\n"));
    bed.finish(agent);
}

#[test]
fn a_tls_failure_is_502() {
    let bed = Bed::new();
    let plain = Upstream::start(Answer::Status(200, ""));
    let url = format!("https://{}/api/v2/profile", plain.authority());
    let settings = settings(&bed, &plain).set("apm_config.profiling_dd_url", url);
    let agent = bed.start(&settings);
    let failed = ask(&bed, "/profiling/v1/input", &[], b"profile");
    assert_eq!(failed.status, 502, "{failed:?}");
    assert!(failed.body.contains("tls"), "{failed:?}");
    bed.finish(agent);
}

#[test]
fn a_client_that_goes_away_ends_the_request_to_the_intake() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Status(200, ""));
    let agent = bed.start(&settings(&bed, &upstream));
    let mut stream = connect(&bed);
    stream.write_all(head("/profiling/v1/input", &[], 1 << 20).as_bytes()).expect("a head");
    stream.write_all(&[b'x'; 1000]).expect("a beginning");
    upstream.wait_begun(1);
    drop(stream);
    let received = upstream.next();
    assert_eq!(received.body_bytes, None, "half a body is no whole one");
    assert!(received.body.len() <= 1000);
    agent.wait_status("nothing under way", |now| {
        let profiling = proxy(now, "profiling");
        profiling.requests == 1 && profiling.in_flight == 0
    });
    bed.finish(agent);
}

#[test]
fn bodies_for_several_destinations_are_limited() {
    let bed = Bed::new();
    let first = Upstream::start(Answer::Status(200, "ok"));
    let second = Upstream::start(Answer::Status(200, "ok"));
    let settings = with_second(settings(&bed, &first), &second)
        .set("apm_config.profiling_max_request_bytes", 100_000);
    let agent = bed.start(&settings);
    assert_eq!(ask(&bed, "/profiling/v1/input", &[], &vec![b'x'; 100_000]).status, 200);
    assert_eq!(ask(&bed, "/profiling/v1/input", &[], &vec![b'x'; 100_001]).status, 502);
    let snapshot = agent
        .wait_status("counted", |now| proxy(now, "profiling").refused.get("too_large") == Some(&1));
    assert_eq!(proxy(&snapshot, "profiling").answers["2xx"], 1);
    bed.finish(agent);
}

#[test]
fn a_slow_upload_lives_as_long_as_it_moves() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Status(200, "ok"));
    let settings = settings(&bed, &upstream)
        .set("apm_config.profiling_receiver_timeout", 2)
        .set("apm_config.receiver_timeout", 2);
    let agent = bed.start(&settings);
    let mut stream = connect(&bed);
    let started = Instant::now();
    const PIECES: usize = 20;
    stream.write_all(head("/profiling/v1/input", &[], PIECES).as_bytes()).expect("a head");
    for _ in 0..PIECES {
        // Longer in all than the deadline, and never near it between two pieces.
        std::thread::sleep(MOMENT);
        stream.write_all(b"x").expect("a piece is taken");
    }
    assert!(started.elapsed() > 10 * MOMENT);
    assert_eq!(said(&mut stream).expect("an answer").status, 200);
    drop(stream);
    bed.finish(agent);
}

#[test]
fn after_a_broken_answer_a_profile_gets_a_connection_of_its_own() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::FirstCut("ok"));
    let agent = bed.start(&settings(&bed, &upstream));
    let mut stream = connect(&bed);
    stream.write_all(head("/profiling/v1/input", &[], 0).as_bytes()).expect("a head");
    // The answer was to be longer.
    assert!(said(&mut stream).is_err(), "half an answer is none");
    agent.wait_status("broken off", |now| proxy(now, "profiling").answers_cut == 1);
    let connections: Vec<Option<String>> = (0..3)
        .map(|_| {
            let received = upstream.next();
            assert_eq!(ask(&bed, "/profiling/v1/input", &[], b"profile").status, 200);
            received.header("connection").map(str::to_owned)
        })
        .collect();
    assert_eq!(connections, [None, Some("close".to_owned()), None]);
    bed.finish(agent);
}

#[test]
fn a_client_that_hangs_up_after_its_upload_ends_the_request_at_once() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Stall);
    // Longer than the test may take: nothing else ends the request.
    let settings = settings(&bed, &upstream).set("apm_config.profiling_receiver_timeout", 3600);
    let agent = bed.start(&settings);
    let socket = bed.trace_url(true).replace("unix://", "");
    let mut stream = UnixStream::connect(socket).expect("the agent listens");
    stream.write_all(head("/profiling/v1/input", &[], 7).as_bytes()).expect("a head");
    stream.write_all(b"profile").expect("a body");
    upstream.wait_begun(1);
    drop(stream);
    let mut broken = connect(&bed);
    broken.write_all(head("/profiling/v1/input", &[], 7).as_bytes()).expect("a head");
    broken.write_all(b"profile").expect("a body");
    upstream.wait_begun(2);
    // It closes with a reset.
    rustix::net::sockopt::set_socket_linger(&broken, Some(Duration::ZERO)).expect("an option");
    drop(broken);
    // One that only ends its own direction waits for the answer.
    let mut waiting = connect(&bed);
    waiting.write_all(head("/profiling/v1/input", &[], 7).as_bytes()).expect("a head");
    waiting.write_all(b"profile").expect("a body");
    waiting.shutdown(Shutdown::Write).expect("a connection");
    upstream.wait_begun(3);
    agent.wait_status("both are gone", |now| {
        let profiling = proxy(now, "profiling");
        let hang_ups = now.traces.as_ref().and_then(|traces| traces.server.get("hang_ups"));
        (profiling.clients_gone, profiling.in_flight, hang_ups) == (2, 1, Some(&2))
    });
    upstream.go_on();
    assert_eq!(said(&mut waiting).expect("an answer").status, 502, "the intake closed");
    bed.finish(agent);
}

#[test]
fn telemetry_of_a_process_that_is_gone_arrives() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Status(202, ""));
    let settings = settings(&bed, &upstream)
        .set("site", "bed.test")
        .set("proxy.https", upstream.url())
        .set("skip_ssl_validation", true);
    let agent = bed.start(&settings);
    let socket = bed.trace_url(true).replace("unix://", "");
    const CLIENTS: usize = 50;
    for _ in 0..CLIENTS {
        let mut stream = UnixStream::connect(&socket).expect("the agent listens");
        let head = head("/telemetry/proxy/api/v2/apmtelemetry", &[], 2);
        stream.write_all(format!("{head}{{}}").as_bytes()).expect("a request");
        // Nobody reads the answer.
        drop(stream);
    }
    agent.wait_status("all are sent", |now| proxy(now, "telemetry").copies_sent == CLIENTS as u64);
    assert_eq!(upstream.requests().len(), CLIENTS);
    bed.finish(agent);
}
