use std::io::Read;
use std::mem::MaybeUninit;
use std::net::UdpSocket;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::sync::mpsc::channel;

use entity::TaggerState;
use rustix::net::sockopt::set_socket_passcred;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::*;
use crate::{Compression, ReadLimits, Record, Writer};

fn capture(records: &[(i64, i32, &[u8])]) -> Capture {
    let mut writer = Writer::new(Vec::new(), Compression::None).expect("memory");
    for &(unix_ns, pid, payload) in records {
        writer.write(&Record { unix_ns, pid, payload, ancillary: b"" }).expect("memory");
    }
    let bytes = writer.finish(&TaggerState::default()).expect("memory");
    Capture::parse(bytes, ReadLimits::default()).expect("readable")
}

fn options(target: Target) -> ReplayOptions {
    ReplayOptions { target, speed: 1.0, loops: 1, with_credentials: true }
}

fn at_once(_: Duration) -> Pace {
    Pace::Go
}

/// Payload and, when credentials came, process, user and group.
fn receive(socket: &UnixDatagram) -> (Vec<u8>, Option<(i32, u32, u32)>) {
    let mut bytes = [0; 100];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [io::IoSliceMut::new(&mut bytes)];
    let message = recvmsg(socket, &mut parts, &mut control, RecvFlags::empty()).expect("a packet");
    let credentials = control.drain().find_map(|message| {
        let RecvAncillaryMessage::ScmCredentials(c) = message else { return None };
        Some((c.pid.as_raw_nonzero().get(), c.uid.as_raw(), c.gid.as_raw()))
    });
    (bytes[..message.bytes].to_vec(), credentials)
}

#[test]
fn packets_arrive_in_the_name_of_their_first_sender() {
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("socket");
    let server = UnixDatagram::bind(&path).expect("bound");
    set_socket_passcred(&server, true).expect("credentials");
    let capture = capture(&[(0, 4242, b"a:1|c"), (1, 0, b"b:1|c")]);
    let report = replay(&capture, &options(Target::UnixDatagram(path)), at_once).expect("replayed");
    assert_eq!((report.packets, report.bytes, report.loops), (2, 10, 1));
    let own = std::process::id().cast_signed();
    let (payload, credentials) = receive(&server);
    assert_eq!(payload, b"a:1|c");
    // Which of the two depends on the rights of whoever runs the test.
    match report.credentials {
        CredentialUse::Sent => assert_eq!(credentials, Some((own, 4242, entity::REPLAY_GID))),
        CredentialUse::Refused => assert!(report.note().is_some()),
        CredentialUse::Off => panic!("credentials were not tried"),
    }
    let (payload, credentials) = receive(&server);
    assert_eq!(payload, b"b:1|c");
    assert!(credentials.is_some_and(|(pid, _, gid)| pid == own && gid != entity::REPLAY_GID));
}

#[test]
fn a_stream_gets_frames() {
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("socket");
    let server = UnixListener::bind(&path).expect("bound");
    let capture = capture(&[(0, 7, b"a:1|c"), (1, 0, b"b:1|c")]);
    replay(&capture, &options(Target::UnixStream(path)), at_once).expect("replayed");
    let mut bytes = Vec::new();
    server.accept().expect("connected").0.read_to_end(&mut bytes).expect("readable");
    assert_eq!(bytes, b"\x05\0\0\0a:1|c\x05\0\0\0b:1|c");
}

#[test]
fn udp_carries_no_sender() {
    let server = UdpSocket::bind("127.0.0.1:0").expect("bound");
    let target = Target::Udp(server.local_addr().expect("address"));
    let report = replay(&capture(&[(0, 7, b"a:1|c")]), &options(target), at_once);
    assert_eq!(report.expect("replayed").credentials, CredentialUse::Off);
    let mut bytes = [0; 10];
    assert_eq!(server.recv(&mut bytes).expect("a packet"), 5);
}

#[test]
fn the_rhythm_is_the_recorded_one_at_any_speed() {
    let server = UdpSocket::bind("127.0.0.1:0").expect("bound");
    let target = Target::Udp(server.local_addr().expect("address"));
    let capture = capture(&[(5_000, 0, b"a"), (2_000_005_000, 0, b"b"), (0, 0, b"c")]);
    let dues = |speed: f64, loops: u32| {
        let options = ReplayOptions { speed, loops, ..options(target.clone()) };
        let mut dues = Vec::new();
        let pace = |due: Duration| {
            dues.push(due.as_millis());
            if dues.len() == 8 { Pace::Stop } else { Pace::Go }
        };
        let report = replay(&capture, &options, pace).expect("replayed");
        (dues, report.is_stopped)
    };
    assert_eq!(dues(1.0, 1), (vec![0, 2000, 0], false));
    assert_eq!(dues(4.0, 2), (vec![0, 500, 0, 0, 500, 0], false));
    assert_eq!(dues(0.0, 1), (vec![0, 0, 0], false));
    assert_eq!(dues(0.5, 0), (vec![0, 4000, 0, 0, 4000, 0, 0, 4000], true));
}

#[test]
fn a_pace_ends_with_its_stop_signal() {
    let (stop, stopped) = channel();
    let mut pace = pace_with(&stopped);
    assert_eq!(pace(Duration::ZERO), Pace::Go);
    stop.send(()).expect("listening");
    assert_eq!(pace(Duration::from_secs(3600)), Pace::Stop);
    drop(stop);
    assert_eq!(pace(Duration::ZERO), Pace::Stop);
}

#[test]
fn impossible_replays_are_refused() {
    let nowhere = Target::UnixDatagram("/nonexistent/socket".into());
    let some = capture(&[(0, 0, b"a")]);
    let refused = replay(&some, &options(nowhere.clone()), at_once);
    assert!(matches!(refused, Err(ReplayError::Connect { .. })));
    for speed in [-1.0, f64::NAN, f64::INFINITY] {
        let options = ReplayOptions { speed, ..options(nowhere.clone()) };
        assert!(matches!(replay(&some, &options, at_once), Err(ReplayError::Speed(_))));
    }
    let refused = replay(&capture(&[]), &options(nowhere), at_once);
    assert!(matches!(refused, Err(ReplayError::Empty)));
}

#[test]
fn a_server_that_goes_away_ends_the_replay() {
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("socket");
    let mut server = Some(UnixDatagram::bind(&path).expect("bound"));
    let capture = capture(&[(0, 0, b"a"), (1, 0, b"b")]);
    let mut turn = 0;
    let pace = |_| {
        turn += 1;
        if turn == 2 {
            drop(server.take());
        }
        Pace::Go
    };
    let refused = replay(&capture, &options(Target::UnixDatagram(path)), pace);
    assert!(matches!(refused, Err(ReplayError::Send { packets: 1, .. })));
}
