//! Batches of spans: what one request of a tracer becomes.
//!
//! ```text
//! body --decode--> Batch { strings, spans, attributes, chunks } --passes edit it--> encode
//! ```
//!
//! A [`Batch`] is a struct of arrays around the request's body. A string is an index ([`Str`]) into
//! a table of ranges of that body; what processing writes anew is appended to the same bytes, so
//! that nothing is copied that stays as it came, a batch has no lifetime, and decoding allocates
//! per batch, not per span. An attribute is 16 bytes, a span 144.
//!
//! All wire formats come down to this one model. In the formats before v1.0 `meta`, `metrics` and
//! `meta_struct` are three key spaces: they are told apart by the kind of value
//! ([`Value::Text`], [`Value::Double`], [`Value::Bytes`]), and a key may appear once in each. The
//! last entry of a key counts, as it does in a protobuf map; decoders do not look for duplicates.
//!
//! Keys that processing asks for are recognised while decoding ([`Key`]), and each span says which
//! of them it has ([`KeySet`]): looking for what is not there costs one test of a bit.
//!
//! Bodies are decoded ([`decode`]) and payloads written ([`encode`]) in steps of a bounded size.
//!
//! Invariants: every [`Str`] of a batch is in its table; an empty string is [`Str::EMPTY`]; a text
//! is UTF-8 (decoders repair it); every list lies within its arena.
//!
//! Costs, measured with `cargo bench -p corelane-span` on a shared 2-core virtual machine: decoding
//! a span of 450 bytes of v0.4 takes about 200 ns, of v0.5 60 to 80, of v1.0 120 to 140; encoding
//! it 140 before v1.0 and 80 from then. Once warm, decoding allocates nothing; encoding v1.0
//! allocates its tables of references for each payload.
//!
//! Not here: what spans mean (`traces`).

#![forbid(unsafe_code)]

mod attribute;
mod batch;
mod check;
mod convert;
pub mod decode;
pub mod encode;
mod key;
mod list;
mod span;
mod strings;

pub use attribute::{Attribute, Value};
pub use batch::{Batch, Chunk, Format, Header, PRIORITY_NONE};
pub use check::{check_json, check_v1, check_v04, check_v05, check_v07};
pub use convert::Converter;
pub use key::{Key, KeySet};
pub use list::{Arena, List, Slice};
pub use span::{Event, Link, Span, SpanKind};
pub use strings::{Str, Strings, Table};
