//! TCP connections to a host with several addresses: the first that answers is taken.
//!
//! Attempts begin one after the other, each a while after the one before or as soon as that has
//! failed, and run on beside each other; IPv6 and IPv4 take turns, beginning with what the resolver
//! put first. A family whose packets go nowhere thus costs one delay instead of a timeout
//! (RFC 8305, "happy eyeballs").

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// Shortest time that an address has for itself when addresses are tried in turn.
const TURN_MIN: Duration = Duration::from_secs(2);

/// Connects to one of `addresses` until `deadline`. `delay` lies between the beginnings of two
/// attempts; zero gives each address its fair share of the time instead.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] at the deadline; before it, when every attempt has failed, why the
/// last one did.
pub(crate) async fn dial(
    addresses: Vec<SocketAddr>,
    delay: Duration,
    deadline: Instant,
) -> io::Result<TcpStream> {
    let mut waiting = take_turns(addresses).into_iter();
    let mut attempts = JoinSet::new();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        if let Some(address) = waiting.next() {
            attempts.spawn(TcpStream::connect(address));
        } else if attempts.is_empty() {
            return Err(last);
        }
        let next_at = next_attempt(waiting.len(), delay, deadline);
        match timeout_at(next_at, attempts.join_next()).await {
            Ok(Some(Ok(Ok(stream)))) => return Ok(stream),
            Ok(Some(Ok(Err(err)))) => last = err,
            Ok(Some(Err(err))) => last = err.into(),
            Ok(None) => {}
            Err(_elapsed) if next_at >= deadline => return Err(io::ErrorKind::TimedOut.into()),
            Err(_elapsed) => {}
        }
    }
}

/// When the next attempt begins if those under way have not ended before.
fn next_attempt(waiting: usize, delay: Duration, deadline: Instant) -> Instant {
    if waiting == 0 {
        return deadline;
    }
    let now = Instant::now();
    let shares = u32::try_from(waiting).unwrap_or(u32::MAX).saturating_add(1);
    let turn = (deadline.saturating_duration_since(now) / shares).max(TURN_MIN);
    let delay = if delay.is_zero() { turn } else { delay };
    (now + delay).min(deadline)
}

/// The addresses in turns of both families, each family in the order of the resolver.
fn take_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let begins_with_ipv6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == begins_with_ipv6);
    let mut turns = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    while first.len() + second.len() > 0 {
        turns.extend(first.next());
        turns.extend(second.next());
    }
    turns
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use socket2::{Domain, Socket, Type};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn address(listener: &TcpListener) -> SocketAddr {
        listener.local_addr().unwrap()
    }

    fn listener() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").unwrap()
    }

    /// A port on which nothing listens.
    fn refusing() -> SocketAddr {
        address(&listener())
    }

    /// A listener whose queue is full, so that connecting to it hangs; and what fills it.
    fn hanging() -> (TcpListener, Vec<Socket>) {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        socket.listen(0).unwrap();
        let listener = TcpListener::from(socket);
        let fill = |_| {
            let filler = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            filler.set_nonblocking(true).unwrap();
            // It is under way, or hangs already.
            drop(filler.connect(&address(&listener).into()));
            filler
        };
        let fillers = (0..8).map(fill).collect();
        (listener, fillers)
    }

    #[test]
    fn families_take_turns_from_the_first_on() {
        let parse = |text: &&str| text.parse::<SocketAddr>().unwrap();
        let all = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"];
        let turns = ["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"];
        assert_eq!(
            take_turns(all.iter().map(parse).collect()),
            turns.iter().map(parse).collect::<Vec<_>>()
        );
        let one_family: Vec<_> = all[3..].iter().map(parse).collect();
        assert_eq!(take_turns(one_family.clone()), one_family);
        assert!(take_turns(Vec::new()).is_empty());
    }

    #[tokio::test]
    async fn an_address_that_does_not_answer_holds_the_next_for_the_delay_alone() {
        let ((silent, _fillers), good) = (hanging(), listener());
        let addresses = vec![address(&silent), address(&good)];
        let deadline = Instant::now() + HOUR;
        let stream = dial(addresses, Duration::from_millis(20), deadline).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address(&good));
    }

    #[tokio::test]
    async fn a_refusal_begins_the_next_at_once() {
        let good = listener();
        let addresses = vec![refusing(), refusing(), address(&good)];
        // Waiting out a single delay would not end.
        let stream = dial(addresses, HOUR, Instant::now() + 24 * HOUR).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address(&good));
    }

    #[tokio::test]
    async fn an_address_that_answers_first_is_taken_whatever_comes_after() {
        let good = listener();
        let (silent, _fillers) = hanging();
        let addresses = vec![address(&good), address(&silent)];
        let stream = dial(addresses, HOUR, Instant::now() + HOUR).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address(&good));
    }

    #[tokio::test]
    async fn the_last_refusal_is_told() {
        let deadline = Instant::now() + HOUR;
        let error = dial(vec![refusing(), refusing()], HOUR, deadline).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let error = dial(Vec::new(), HOUR, deadline).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn nobody_answers_until_the_deadline() {
        let (silent, _fillers) = hanging();
        let addresses = vec![address(&silent), address(&silent)];
        let deadline = Instant::now() + Duration::from_millis(50);
        let error = dial(addresses, Duration::from_millis(1), deadline).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn without_a_delay_each_address_has_its_share() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let deadline = now + 30 * second;
        let shared = next_attempt(2, Duration::ZERO, deadline).saturating_duration_since(now);
        assert!(shared > 9 * second && shared < 11 * second, "{shared:?}");
        assert_eq!(next_attempt(0, Duration::ZERO, deadline), deadline);
        let many = next_attempt(1000, Duration::ZERO, deadline).saturating_duration_since(now);
        assert!(many >= TURN_MIN && many < 3 * second, "{many:?}");
        let soon = next_attempt(2, second, deadline).saturating_duration_since(now);
        assert!(soon >= second && soon < 2 * second, "{soon:?}");
    }
}
