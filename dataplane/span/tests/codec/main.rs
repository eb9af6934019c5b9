//! Bodies of every format, written from one random model by writers of our own, decode to that
//! model; encoded payloads read by an independent reader give it back.

mod corpus;
mod decode;
mod encode;
mod hostile;
mod idx;
mod json;
mod model;
mod msgpack;
mod proto;
mod random;
mod read;
mod v04;
mod v05;
mod v1;
