//! HTTP/1.1 for a lane: requests collected within limits, answered by the lane's worker.
//!
//! ```text
//! listener --accept_connections--> serve_connection (hyper) --Request--> inbox --> worker
//!    ^ Gate: connections, rate         head, route, body       ^            |
//!    |                                 within limits           '--Answer----'
//! Reactor (epoll) wakes tasks     Server::tick enforces timeouts
//! ```
//!
//! Nothing here knows an executor, a thread or a clock: [`serve_connection`] is a future over any
//! socket that hyper can read and write, the driver of the lane runs it, tells the time with
//! [`Server::advance`] and about ten times a second calls [`Server::tick`], so that a connection
//! costs no timer. It does not decode bodies and has no opinion on what is in them: a worker task
//! takes [`Request`]s from the inbox and answers each through its [`Reply`].
//!
//! A request for a proxy leaves the lane: its head goes to control at once, body and answer stream
//! through bounded pipes while the connection stays here ([`Exchange`]).
//!
//! Invariants: a client gets the answer of its request or loses its connection, and both are
//! counted ([`ServerCounts`]); a body of exactly the limit is accepted; what a client announces
//! takes no memory before it is sent; bodies of a lane together stay within
//! [`ServerSettings::in_flight_bytes_max`], whatever the number of connections; at the limit of
//! connections nobody is refused, the backlog waits. spec: apm §1-§4.
//!
//! Costs: an idle connection takes about 20 KiB of address space, of which hyper touches some 2
//! KiB; while it reads, at most 64 KiB beside the body. A request allocates its body, one text for
//! its headers, and what hyper needs.

#![forbid(unsafe_code)]

mod accept;
mod answer;
mod body;
mod connection;
mod counts;
mod exchange;
mod gate;
mod hang_up;
mod head;
mod inbox;
mod incoming;
mod link;
mod media;
mod pipe;
mod reactor;
mod relay;
mod response;
mod route;
mod seats;
mod server;
mod watched;

pub use accept::accept_connections;
pub use answer::{Answer, ContentType, Identity, Rates, Refusal};
pub use body::{Body, Charge};
pub use connection::serve_connection;
pub use counts::{STATUSES, SenderRefusals, ServerCounts, Statuses};
pub use exchange::{
    AnswerBody, BodyError, ClientGone, CollectError, Exchange, ExchangeBody, ExchangeHead,
    ExchangeInlet, ExchangeOutlet, ExchangeReply, Origin, PIECE_BYTES_MAX, PIECES_MAX, exchanges,
};
pub use gate::{Closed, Gate, Permit};
pub use hang_up::HangUp;
pub use head::{Head, Text};
pub use inbox::{Reply, Request};
pub use media::Media;
pub use reactor::{ListenerIo, Reactor, StreamIo};
pub use receive::{HttpListener, HttpStream, Peer};
pub use route::{Proxy, ROUTE_NAMES, Route, TraceVersion};
pub use seats::Seats;
pub use server::{Server, ServerSettings, ServiceReader};
