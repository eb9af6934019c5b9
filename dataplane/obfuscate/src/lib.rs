//! What must not leave the host, and what the intake cannot take: obfuscation of commands, bodies,
//! addresses and card numbers, and normalisation of names and tags. spec: apm-obfuscation §4-§10.
//!
//! ```text
//! span value --cards, redis, memcached, http_url, json--> the same without literals
//! service, name, env, peer tags --normalize, peer_ip--> few and well-formed values
//! arguments of a process --command_line--> the same without secrets
//! ```
//!
//! Every function reads a value and appends its result to an output that the caller owns and
//! clears. It answers with a [`Change`]: most values need none, and for those nothing is written.
//! Functions without state are free; what is compiled from settings ([`CardScreen`], [`JsonBody`],
//! [`CommandScrubber`]) is built once.
//!
//! It deliberately knows no spans, no settings keys and no SQL: [`JsonBody`] is handed the SQL
//! obfuscation as a closure. It does not decide which obfuscator runs on what.
//!
//! Invariants: nothing panics, whatever the input; work and output are linear in the input, apart
//! from sorting the items of a list of peers; what is normal stays so.
//!
//! Costs (`cargo bench -p corelane-obfuscate`): a value that cannot be a card is refused in 1 ns,
//! or 5 ns when it begins like one; a clean name, service or tag value of 20 bytes takes 9 ns, one
//! with capitals 110 ns; a URL of 60 bytes 36 ns; a Redis command 20 to 90 ns; JSON 330 MB/s.
//! Nothing is allocated unless the output has to grow, except for lists of peers and lines of
//! arguments.

#![forbid(unsafe_code)]

pub mod cards;
mod change;
mod check;
pub mod command_line;
pub mod http_url;
pub mod json;
pub mod memcached;
pub mod normalize;
pub mod peer_ip;
pub mod redis;

pub use cards::CardScreen;
pub use change::Change;
pub use check::check_obfuscators;
pub use command_line::CommandScrubber;
pub use json::JsonBody;
