//! Requests that are handed over to control, under each driver.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use http::HeaderMap;
use server::{
    Answer, BodyError, CollectError, Exchange, ExchangeInlet, PIECE_BYTES_MAX, PIECES_MAX, Proxy,
    Refusal,
};
use signal::Counter;

use super::{Bed, DRIVERS, answer};

const ROUND: &[u8] = b"POST /profiling/v1/input?x=1 HTTP/1.1\r\nHost: a\r\nX-B: 1\r\nx-a: 2\r\n\
    X-B: 3\r\nDatadog-Container-ID: cafe\r\nContent-Length: 3\r\n\r\nabc";

fn next(inlet: &mut ExchangeInlet) -> Exchange {
    block_on(inlet.next()).expect("the lane goes on")
}

/// Has a thread answer the requests of the first lane until it ends.
fn control(
    bed: &mut Bed,
    mut serve: impl FnMut(Exchange) + Send + 'static,
) -> thread::JoinHandle<()> {
    let mut inlet = bed.inlets.remove(0);
    thread::spawn(move || {
        while let Some(exchange) = block_on(inlet.next()) {
            serve(exchange);
        }
    })
}

#[test]
fn control_wakes_a_lane_that_sleeps() {
    /// With the tick of the lane alone, each round would take a tenth of a second at least.
    const ROUNDS: usize = 600;
    const TIME_MAX: Duration = Duration::from_secs(50);
    for driver in DRIVERS {
        let mut bed = Bed::new(1, driver);
        let control = control(&mut bed, |mut exchange| {
            let body = block_on(exchange.body.collect(3)).unwrap();
            exchange.reply.send(Answer::json(200, body));
        });
        let mut client = bed.connect();
        let started = Instant::now();
        for _ in 0..ROUNDS {
            client.write_all(ROUND).unwrap();
            assert_eq!(answer(&mut client), (200, "abc".into()));
        }
        assert!(started.elapsed() < TIME_MAX, "{:?}", started.elapsed());
        bed.begin_stop();
        bed.join();
        control.join().unwrap();
    }
}

#[test]
fn the_head_comes_whole_and_the_answer_in_pieces() {
    for driver in DRIVERS {
        let mut bed = Bed::new(1, driver);
        let mut inlet = bed.inlets.remove(0);
        let mut client = bed.connect();
        client.write_all(ROUND).unwrap();
        let Exchange { head, mut body, reply } = next(&mut inlet);
        assert_eq!((head.proxy, head.lane), (Proxy::Profiling, 0));
        assert_eq!(
            (head.method.as_str(), head.uri.to_string().as_str()),
            ("POST", "/profiling/v1/input?x=1")
        );
        let values: Vec<_> = head.headers.get_all("x-b").iter().collect();
        assert_eq!(values, ["1", "3"]);
        assert_eq!(head.origin.container_id, "cafe");
        assert_eq!(body.left(), Some(3));
        assert_eq!(&block_on(body.collect(3)).unwrap()[..], b"abc");
        let mut headers = HeaderMap::new();
        headers.insert("content-length", "11".parse().unwrap());
        headers.insert("x-upstream", "yes".parse().unwrap());
        let mut out = reply.begin(202, headers);
        block_on(out.send("Hello ".into())).unwrap();
        let mut seen = Vec::new();
        // What there is comes before the rest is known.
        while !seen.ends_with(b"Hello ") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            seen.push(byte[0]);
        }
        let text = String::from_utf8(seen).unwrap();
        assert!(text.starts_with("HTTP/1.1 202 Accepted\r\n"), "{text}");
        for header in ["X-Upstream: yes", "Datadog-Agent-Version: 7", "Datadog-Agent-State: hash"] {
            assert!(text.contains(header), "{header} in {text}");
        }
        block_on(out.send("World".into())).unwrap();
        block_on(out.finish());
        let mut rest = [0; 5];
        client.read_exact(&mut rest).unwrap();
        assert_eq!(&rest, b"World");
        // The connection goes on.
        client.write_all(ROUND).unwrap();
        next(&mut inlet).reply.send(Answer::empty());
        assert_eq!(answer(&mut client).0, 200);
        bed.begin_stop();
        bed.join();
    }
}

#[test]
fn a_large_upload_passes_in_pieces_of_bounded_number() {
    const BYTES: usize = 32 << 20;
    for driver in DRIVERS {
        let mut bed = Bed::new(1, driver);
        let mut inlet = bed.inlets.remove(0);
        let mut client = bed.connect();
        let writer = thread::spawn({
            let mut client = client.try_clone().unwrap();
            move || {
                let head = format!(
                    "PUT /symdb/v1/input HTTP/1.1\r\nHost: a\r\nContent-Length: {BYTES}\r\n\r\n"
                );
                client.write_all(head.as_bytes()).unwrap();
                let block: Vec<u8> = (0..1_u32 << 20).map(|n| n.to_le_bytes()[0]).collect();
                for _ in 0..BYTES >> 20 {
                    client.write_all(&block).unwrap();
                }
            }
        });
        let mut exchange = next(&mut inlet);
        let (mut received, mut longest) = (0_usize, 0);
        while let Some(piece) = block_on(exchange.body.next()) {
            let piece = piece.unwrap();
            assert!(piece.iter().zip(received..).all(|(&byte, at)| byte == at.to_le_bytes()[0]));
            received += piece.len();
            longest = longest.max(piece.len());
        }
        assert_eq!(received, BYTES);
        assert!(longest <= PIECE_BYTES_MAX);
        exchange.reply.send(Answer::empty());
        assert_eq!(answer(&mut client).0, 200);
        writer.join().unwrap();
        bed.begin_stop();
        bed.join();
    }
}

#[test]
fn a_slow_control_holds_the_upload_and_not_the_lane() {
    for driver in DRIVERS {
        let mut bed = Bed::new(1, driver);
        let mut inlet = bed.inlets.remove(0);
        let mut client = bed.connect();
        client
            .write_all(
                b"PUT /symdb/v1/input HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            )
            .unwrap();
        let mut exchange = next(&mut inlet);
        // Until the sockets and the pipe are full.
        let mut chunk = b"10000\r\n".to_vec();
        chunk.resize(chunk.len() + (1 << 16), b'x');
        chunk.extend(b"\r\n");
        client.set_nonblocking(true).unwrap();
        let mut written = 0_usize;
        let mut quiet_since = Instant::now();
        while quiet_since.elapsed() < Duration::from_millis(300) {
            match client.write(&chunk[written % chunk.len()..]) {
                Ok(more) => {
                    written += more;
                    quiet_since = Instant::now();
                }
                Err(_) => thread::yield_now(),
            }
        }
        // The lane serves others meanwhile.
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        for round in 1..=20 {
            udp.send_to(b"a:1|c", bed.udp).unwrap();
            bed.wait_for(Counter::Recorded, round);
        }
        // The client goes away: what was on its way comes, and then the news.
        client.set_nonblocking(false).unwrap();
        drop(client);
        let mut received = 0;
        let error = loop {
            match block_on(exchange.body.next()) {
                Some(Ok(piece)) => received += piece.len(),
                Some(Err(error)) => break error,
                None => panic!("half a body has no end"),
            }
        };
        assert_eq!(error, BodyError::Gone);
        assert!(received <= written && received > PIECES_MAX * 1024, "{received} of {written}");
        drop(exchange);
        bed.begin_stop();
        bed.join();
    }
}

#[test]
fn an_early_answer_ends_the_upload() {
    for driver in DRIVERS {
        let mut bed = Bed::new(1, driver);
        let control = control(&mut bed, |mut exchange| {
            assert_eq!(block_on(exchange.body.collect(10)), Err(CollectError::TooLarge));
            drop(exchange.body);
            let refused = Answer::refused(413, Refusal::TooLarge, "payload-too-large");
            exchange.reply.send(refused);
        });
        let mut client = bed.connect();
        client
            .write_all(
                b"PUT /symdb/v1/input HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\nabc",
            )
            .unwrap();
        let mut all = String::new();
        client.read_to_string(&mut all).unwrap();
        assert!(all.starts_with("HTTP/1.1 413 "), "{all}");
        assert!(all.contains("Connection: close"), "{all}");
        // A short body that nobody reads costs no connection.
        let mut client = bed.connect();
        for _ in 0..3 {
            client.write_all(b"PUT /symdb/v1/input HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nabcdefghijk").unwrap();
            assert_eq!(answer(&mut client).0, 413);
        }
        bed.begin_stop();
        bed.join();
        control.join().unwrap();
    }
}

#[test]
fn an_exchange_that_control_gives_up_closes_the_connection() {
    for driver in DRIVERS {
        let mut bed = Bed::new(1, driver);
        let mut inlet = bed.inlets.remove(0);
        let ended = |mut client: TcpStream| {
            let mut all = Vec::new();
            // A reset is an end as well.
            drop(client.read_to_end(&mut all));
            String::from_utf8(all).unwrap()
        };
        let mut client = bed.connect();
        client.write_all(ROUND).unwrap();
        drop(next(&mut inlet));
        assert_eq!(ended(client), "");
        // In the middle of an answer of unknown length, the end is missing.
        let mut client = bed.connect();
        client.write_all(ROUND).unwrap();
        let mut out = next(&mut inlet).reply.begin(200, HeaderMap::new());
        block_on(out.send("half".into())).unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"4\r\nhalf\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            seen.push(byte[0]);
        }
        drop(out);
        assert_eq!(ended(client), "");
        bed.begin_stop();
        bed.join();
    }
}

#[test]
fn a_client_that_reads_no_more_ends_the_answer() {
    for driver in DRIVERS {
        let mut bed = Bed::new(1, driver);
        let mut inlet = bed.inlets.remove(0);
        let mut client = bed.connect();
        client.write_all(ROUND).unwrap();
        let mut out = next(&mut inlet).reply.begin(200, HeaderMap::new());
        let block = bytes::Bytes::from(vec![b'x'; 1 << 20]);
        block_on(out.send(block.clone())).unwrap();
        client.read_exact(&mut [0; 100]).unwrap();
        client.shutdown(Shutdown::Both).unwrap();
        drop(client);
        let sent = || block_on(out.send(block.clone()));
        assert!(std::iter::repeat_with(sent).take(1000).any(|sent| sent.is_err()));
        bed.begin_stop();
        bed.join();
    }
}
