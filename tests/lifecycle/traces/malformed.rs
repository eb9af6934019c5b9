//! Bodies that are damaged, cut, mislabelled or absurd: 200 or 400 on the same connection, and what
//! is made of them is fit for the intake.

use bed::{Agent, Bed};
use load::traces::{Language, TracePool, TraceSpec, TraceVersion};

use super::client::{Client, MSGPACK};
use super::{counter, quick, send_all, spec, wait_traces};

/// A small payload as a tracer sends it.
fn body(version: TraceVersion, language: Language) -> Vec<u8> {
    let spec = TraceSpec {
        version,
        language,
        spans_per_trace: 4,
        traces_per_payload: 2,
        payloads: 1,
        ..TraceSpec::default()
    };
    TracePool::build(&spec).expect("a pool").body(0).to_vec()
}

/// Statuses of answers.
#[derive(Debug, Default)]
struct Tally {
    taken: u64,
    refused: u64,
}

impl Tally {
    fn put(&mut self, client: &mut Client, path: &str, headers: &str, body: &[u8]) {
        let answer = client.put(path, headers, body);
        let is_taken = answer.status == 200;
        let shown = body.escape_ascii();
        assert!(is_taken || answer.status == 400, "{path}: {answer:?} to {shown}");
        self.taken += u64::from(is_taken);
        self.refused += u64::from(!is_taken);
        assert!(!answer.is_last, "{path} ended the connection: {shown}");
    }
}

/// The agent counted what we saw.
fn check(agent: &Agent, tally: &Tally) {
    let refused = |traces: &status::TraceStatus| -> u64 {
        let of = |name| traces.refused.iter().map(|row| counter(&row.requests, name)).sum::<u64>();
        of("malformed") + of("unexpected_eof")
    };
    let status = wait_traces(agent, "all answers are counted", |traces| {
        traces.payloads_decoded == tally.taken && refused(traces) == tally.refused
    });
    assert_eq!(counter(&status.server, "requests_lost"), 0);
    assert!(!agent.log().contains("panicked"), "{}", agent.log());
}

#[test]
fn every_prefix_of_a_payload_is_refused_and_the_whole_is_taken() {
    let bed = Bed::new();
    let agent = bed.start(&quick(&bed));
    let mut client = Client::unix(&bed);
    let mut tally = Tally::default();
    for version in TraceVersion::ALL {
        let body = body(version, Language::Python);
        for end in (0..body.len()).step_by(29) {
            tally.put(&mut client, version.path(), MSGPACK, &body[..end]);
        }
        assert_eq!(tally.taken, counter_of(version), "{version:?}: a part passed for the whole");
        tally.put(&mut client, version.path(), MSGPACK, &body);
    }
    check(&agent, &tally);
    bed.finish(agent);
}

/// Whole payloads that were sent before those of a version.
fn counter_of(version: TraceVersion) -> u64 {
    TraceVersion::ALL.iter().take_while(|one| **one != version).count() as u64
}

#[test]
fn flipped_bits_harm_nobody() {
    let bed = Bed::new();
    let agent = bed.start(&quick(&bed));
    let mut client = Client::unix(&bed);
    let mut tally = Tally::default();
    for (version, language) in TraceVersion::ALL.iter().zip(Language::ALL) {
        let whole = body(*version, language);
        for at in (0..whole.len()).step_by(13) {
            let mut body = whole.clone();
            body[at] ^= 1 << (at % 8);
            tally.put(&mut client, version.path(), MSGPACK, &body);
        }
    }
    assert!(tally.taken > 0 && tally.refused > 0, "{tally:?}");
    check(&agent, &tally);
    // The intake has nothing to object to, whatever was made of them.
    bed.finish(agent);
}

#[test]
fn mislabelled_and_absurd_bodies_are_refused_by_their_kind() {
    let bed = Bed::new();
    let agent = bed.start(&quick(&bed));
    let mut client = Client::unix(&bed);
    let v04 = body(TraceVersion::V04, Language::Go);
    let json = "Content-Type: application/json\r\n";
    let gzip = "Content-Type: application/msgpack\r\nContent-Encoding: gzip\r\n";
    let nested = [&[0x91; 100_000][..], &[0x90]].concat();
    for (path, headers, body, status) in [
        // The first byte tells what it is.
        ("/v0.4/traces", json, &b"\x90"[..], 200),
        ("/v0.4/traces", json, b"\x91", 400),
        ("/v0.3/traces", json, b"[[{]]", 400),
        ("/v0.4/traces", json, b"[]", 200),
        ("/v0.4/traces", "", b"[[]]", 200),
        ("/v0.4/traces", json, b"", 400),
        ("/v0.4/traces", MSGPACK, b"", 400),
        ("/v0.4/traces", MSGPACK, b"[[]]", 200),
        ("/v0.4/traces", MSGPACK, b"\xc0", 400),
        // Four thousand million traces, none of which follows.
        ("/v0.4/traces", MSGPACK, b"\xdd\xff\xff\xff\xff", 400),
        ("/v0.5/traces", MSGPACK, b"\x92\xdd\xff\xff\xff\xff", 400),
        ("/v1.0/traces", MSGPACK, b"\xdf\xff\xff\xff\xff", 400),
        ("/v0.4/traces", MSGPACK, &nested, 400),
        ("/v0.7/traces", MSGPACK, &v04, 400),
        ("/v0.5/traces", MSGPACK, &v04, 400),
        ("/v1.0/traces", MSGPACK, &v04, 400),
        ("/v0.4/traces", gzip, b"\x1f\x8b\x08\x00\x00\x00\x00\x00", 400),
        ("/v0.1/spans", MSGPACK, &v04, 415),
        ("/v0.2/traces", MSGPACK, &v04, 415),
        ("/v0.1/spans", json, b"{}", 400),
        ("/v0.2/traces", json, b"[]", 200),
        ("/v0.6/stats", MSGPACK, b"\xc1", 400),
        ("/v0.6/stats", MSGPACK, b"", 400),
        ("/v0.6/stats", MSGPACK, b"\x80", 200),
        ("/v0.4/traces", "Sec-Fetch-Site: cross-site\r\n", b"[]", 403),
        ("/v9/traces", MSGPACK, b"", 404),
    ] {
        let answer = client.put(path, headers, body);
        let shown = body[..body.len().min(40)].escape_ascii();
        assert_eq!(answer.status, status, "{path} {headers:?} {shown}: {}", answer.body);
        if answer.is_last {
            client = Client::unix(&bed);
        }
    }
    // Heads that are none.
    for head in ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "PUT / HTTP/9.9\r\n\r\n"] {
        let mut client = Client::tcp(&bed);
        client.write(head.as_bytes()).expect("an open connection");
        let answer = client.answer();
        assert!(answer.is_none_or(|answer| answer.status == 400), "{head:?}");
    }
    wait_traces(&agent, "the wrong kinds are counted", |traces| {
        traces.refused.iter().map(|row| counter(&row.requests, "media_type")).sum::<u64>() == 2
    });
    assert!(!agent.log().contains("panicked"), "{}", agent.log());
    let accepted = send_all(spec(&bed));
    super::assert_arrived(&bed.finish(agent).contents, &accepted);
}
