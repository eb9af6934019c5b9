//! Requests for control, and clients that do not wait for them.

use std::cell::RefCell;
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use corelane_server::{Answer, BodyError, Exchange, ExchangeReply, Origin, exchanges};
use receive::HttpListener;

use crate::bed::{Bed, Client, post, settings};

/// Replies that control has not given, with the bodies it read to their end.
type Waiting = Rc<RefCell<Vec<(ExchangeReply, Result<usize, BodyError>)>>>;

/// A bed whose control reads everything and answers nothing by itself.
fn handing_over() -> (Bed, Waiting) {
    let bed = Bed::new(settings());
    let (outlet, mut inlet) = exchanges(0, 1 << 20);
    bed.server.hand_over(outlet, Waker::noop().clone(), |_| Origin::default());
    let waiting = Waiting::default();
    let kept = Rc::clone(&waiting);
    let control = async move {
        while let Some(Exchange { mut body, reply, .. }) = inlet.next().await {
            let mut bytes = Ok(0);
            while let Some(piece) = body.next().await {
                match piece {
                    Ok(piece) => bytes = bytes.map(|sum| sum + piece.len()),
                    Err(error) => {
                        bytes = Err(error);
                        break;
                    }
                }
            }
            kept.borrow_mut().push((reply, bytes));
        }
    };
    bed.executor.spawn(control).detach();
    (bed, waiting)
}

fn request(body: &str) -> String {
    post("/profiling/v1/input", "", body)
}

/// Whether the client of a reply is gone, as control sees it.
fn is_closed(bed: &Bed, mut reply: ExchangeReply) {
    let closed = bed.executor.spawn(async move { reply.closed().await });
    bed.until(|| closed.is_finished());
}

#[test]
fn a_client_that_closes_both_directions_is_gone_at_once() {
    let (bed, waiting) = handing_over();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("apm.socket");
    let (listener, _file) = HttpListener::bind_unix(&path).unwrap();
    bed.listen(listener);
    let stream = UnixStream::connect(&path).unwrap();
    stream.set_nonblocking(true).unwrap();
    let mut client = Client { bed: &bed, stream, received: Vec::new() };
    client.send(request("profile"));
    drop(client);
    // What it sent is there whole all the same.
    bed.until(|| bed.server.open_connections() == 0);
    bed.until(|| waiting.borrow().len() == 1);
    let (reply, bytes) = waiting.borrow_mut().remove(0);
    assert_eq!(bytes, Ok(7));
    is_closed(&bed, reply);
    let counts = bed.server.counts();
    assert_eq!((counts.hang_ups, counts.requests_lost, counts.bodies_reset), (1, 1, 0));
    drop(counts);
    bed.check_identities();
}

#[test]
fn a_client_that_breaks_the_connection_is_gone_at_once() {
    let (bed, waiting) = handing_over();
    let mut client = bed.connect();
    client.send(request("profile"));
    bed.until(|| waiting.borrow().len() == 1);
    socket2::SockRef::from(&client.stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    bed.until(|| bed.server.open_connections() == 0);
    is_closed(&bed, waiting.borrow_mut().remove(0).0);
    assert_eq!(bed.server.counts().hang_ups, 1);
    bed.check_identities();
}

#[test]
fn a_client_that_only_stops_sending_gets_its_answer() {
    let (bed, waiting) = handing_over();
    let mut client: Client<'_, TcpStream> = bed.connect();
    client.send(request("profile"));
    client.stream.shutdown(Shutdown::Write).unwrap();
    bed.until(|| waiting.borrow().len() == 1);
    // Time passes; the client is still there.
    for _ in 0..100 {
        bed.turn();
    }
    let (reply, bytes) = waiting.borrow_mut().remove(0);
    assert_eq!(bytes, Ok(7));
    reply.send(Answer::bare(202));
    assert_eq!(client.answer().status, 202);
    assert_eq!(bed.server.counts().hang_ups, 0);
}
