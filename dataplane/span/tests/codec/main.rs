//! Bodies of every format, written from one random model by writers of our own, decode to that
//! model; encoded payloads read by an independent reader give it back.

#![expect(clippy::wildcard_enum_match_arm, reason = "a form that a format lacks is a bug here")]

mod decode;
mod hostile;
mod json;
mod model;
mod msgpack;
mod random;
mod read;
mod v04;
mod v05;
mod v1;
