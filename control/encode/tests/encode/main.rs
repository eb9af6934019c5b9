//! What the encoders write is read back by decoders that share no code with them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be decoded must fail the test, also outside of test functions"
)]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "the numbers of the tests are small"
)]

mod build;
mod columns;
mod documents;
mod events;
mod limits;
mod messages;
mod read;
mod round_trip;
mod vectors;
