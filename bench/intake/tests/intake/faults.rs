//! What the script makes of requests.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use intake::{Action, Behaviour, Intake, Options, Route};
use socket2::{Domain, Socket, Type};

use crate::client::{connect, get, head, post, read_reply, series, start};

const LONG: Duration = Duration::from_secs(30);

#[test]
fn statuses_come_for_as_long_as_asked_and_nothing_is_stored() {
    let intake = start();
    for status in [400, 403, 404, 413, 429, 500, 503] {
        intake.set_behaviour(Behaviour::first(2, Action::Status(status)));
        for _ in 0..2 {
            let reply = post(&intake, Route::SeriesV1, &series("a", 1, 1.0), &[]).unwrap();
            assert_eq!(reply.status, status);
        }
    }
    assert_eq!((intake.store().totals().points, intake.store().totals().accepted), (0, 0));
    assert_eq!(post(&intake, Route::SeriesV1, &series("a", 1, 1.0), &[]).unwrap().status, 202);
    assert_eq!(intake.store().totals().points, 1);
}

#[test]
fn one_route_can_fail_alone() {
    let intake = start();
    intake.set_behaviour(Behaviour::always(Action::Status(404)).on(Route::SeriesV3));
    assert_eq!(post(&intake, Route::SeriesV3, b"", &[]).unwrap().status, 404);
    assert_eq!(post(&intake, Route::SeriesV1, &series("a", 1, 1.0), &[]).unwrap().status, 202);
    assert_eq!(get(&intake, "/api/v1/validate").unwrap().status, 200);
}

#[test]
fn a_hanging_intake_reads_and_never_answers() {
    let intake = start();
    intake.set_behaviour(Behaviour::first(1, Action::Hang));
    let body = series("a", 1, 1.0);
    let mut stream = connect(intake.addr()).unwrap();
    let head = head("POST", "/api/v1/series", body.len(), &[("Content-Type", "application/json")]);
    stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
    assert!(intake.store().wait_until(LONG, |contents| contents.requests.len() == 1));
    let hung = intake.store().requests();
    assert_eq!((hung[0].status, hung[0].is_accepted), (None, false));
    // Others are served meanwhile.
    assert_eq!(post(&intake, Route::SeriesV1, &body, &[]).unwrap().status, 202);
    stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let error = read_reply(&mut stream).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    // Stopping does not wait for it.
    intake.stop();
}

#[test]
fn connections_close_in_the_middle_of_a_body() {
    let intake = start();
    intake.set_behaviour(Behaviour::first(1, Action::CloseMidBody));
    assert!(post(&intake, Route::SeriesV1, &series("a", 1, 1.0), &[]).is_err());
    let request = &intake.store().requests()[0];
    assert_eq!((request.status, request.is_accepted), (None, false));
    assert_eq!(intake.store().totals().points, 0);
}

#[test]
fn a_stored_body_without_an_answer_counts_once_when_it_comes_again() {
    let intake = start();
    intake.set_behaviour(Behaviour::first(1, Action::StoreThenClose));
    let body = series("a", 1, 1.0);
    assert!(post(&intake, Route::SeriesV1, &body, &[]).is_err());
    assert_eq!(intake.store().totals().points, 1);
    assert_eq!(post(&intake, Route::SeriesV1, &body, &[]).unwrap().status, 202);
    let totals = intake.store().totals();
    assert_eq!((totals.points, totals.resent, totals.overwrites), (1, 1, 0));
    // Sent once more although the answer came: now it overwrites.
    assert_eq!(post(&intake, Route::SeriesV1, &body, &[]).unwrap().status, 202);
    assert_eq!(intake.store().totals().overwrites, 1);
}

#[test]
fn answers_can_be_late() {
    let intake = start();
    for action in [Action::Delay(30), Action::Drip(10)] {
        intake.set_behaviour(Behaviour::first(1, action));
        let before = Instant::now();
        let reply = post(&intake, Route::SeriesV1, &series("a", 1, 1.0), &[]).unwrap();
        assert_eq!(reply.status, 202);
        assert!(before.elapsed() >= Duration::from_millis(20), "{action:?}");
    }
}

#[test]
fn connections_are_refused_and_taken_again_on_the_same_port() {
    let intake = start();
    let mut open = connect(intake.addr()).unwrap();
    for round in 0..3 {
        intake.refuse_connections().unwrap();
        let error = post(&intake, Route::SeriesV1, &series("a", 1, 1.0), &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error}");
        assert!(read_reply(&mut open).is_err(), "open connections are closed");
        intake.accept_connections().unwrap();
        open = connect(intake.addr()).unwrap();
        let reply = post(&intake, Route::SeriesV1, &series("a", round, 1.0), &[]).unwrap();
        assert_eq!(reply.status, 202);
    }
    let (addr, store) = (intake.addr(), std::sync::Arc::clone(intake.store()));
    intake.stop();
    assert_eq!(connect(addr).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(store.totals().points, 3);
}

#[test]
fn a_taken_port_is_said_so() {
    let intake = start();
    let options = Options { listen: intake.addr(), ..Options::default() };
    let error = Intake::start(options).unwrap_err().to_string();
    assert!(error.contains(&intake.addr().to_string()), "{error}");
    assert!(error.contains("choose another address"), "{error}");
}

#[test]
fn the_date_can_be_wrong() {
    let intake = start();
    let date = || {
        let reply = get(&intake, "/api/v1/validate").unwrap();
        let line =
            reply.head.lines().find_map(|line| line.strip_prefix("date: ").map(str::to_owned));
        reply_date(&line.unwrap())
    };
    let now = SystemTime::now();
    assert!(date().duration_since(now).unwrap_or_default() < Duration::from_secs(600));
    intake.set_date_offset_secs(3600);
    assert!(date().duration_since(now).unwrap() > Duration::from_secs(3000));
    intake.set_date_offset_secs(-3600);
    assert!(now.duration_since(date()).unwrap() > Duration::from_secs(3000));
}

/// The client reads heads in lower case.
fn reply_date(text: &str) -> SystemTime {
    let words: Vec<String> = text
        .split(' ')
        .map(|word| {
            let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
            first.to_uppercase() + rest
        })
        .collect();
    httpdate::parse_http_date(&words.join(" ").replace("Gmt", "GMT")).unwrap()
}

/// A port that is free for a moment goes to whoever asks for any.
#[test]
fn the_port_is_never_free() {
    let intake = start();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let trying = scope.spawn(|| {
            let mut tries = 0;
            while !is_done.load(Ordering::Relaxed) {
                // As the kernel looks for a port: without the option to share one.
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
                let bound = socket.bind(&intake.addr().into());
                assert!(bound.is_err(), "someone else has the port");
                tries += 1;
            }
            tries
        });
        for _ in 0..50 {
            intake.refuse_connections().unwrap();
            assert!(TcpStream::connect(intake.addr()).is_err());
            intake.accept_connections().unwrap();
            assert!(TcpStream::connect(intake.addr()).is_ok());
        }
        is_done.store(true, Ordering::Relaxed);
        assert!(trying.join().unwrap() > 50);
    });
}
