//! Raw bytes over real sockets, on the reactor, in one thread and on a clock of the test's own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test plays the parts of the driver and of the clients"
)]

mod bed;
mod exchanges;
mod limits;
mod protocol;
