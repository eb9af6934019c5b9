//! Configuration: one table of keys, and everything made from it.
//!
//! The table ([`keys`]) says for every key that corelane uses its names, type, default, limits,
//! meaning and what a reload does with it. From it come loading ([`load`]), checking ([`check`]),
//! explaining ([`Config::explain`]), showing ([`Config::show`]) and the [`reference()`] page.
//!
//! ```text
//! default < file < environment < remote < flags < secrets   (config spec §1, what corelane has)
//!        load(Sources) -> Config -> typed getters, endpoints, proxy -> settings of each crate
//! ```
//!
//! Not here: settings structs of other crates (the agent crate builds those), a runtime layer,
//! meaning of any value. What remote configuration wants is set by the agent
//! ([`Config::set_remote`]). The environment is handed in by the caller.
//!
//! Invariants:
//! - A key is read through a typed constant of the table, so a wrong name or type does not compile.
//! - A bad value never stops a load: it is reported, and the layer below stays in effect.
//! - A file, whatever its bytes, is read in bounded memory and never panics
//!   ([`check_config_bytes`]).
//! - No secret leaves through `Debug`, messages, explanations or shown text; only typed getters
//!   return it, and [`Config::secret_texts`] to whoever is to remove them elsewhere.

#![forbid(unsafe_code)]

mod changes;
mod check;
mod config;
mod diagnostic;
mod endpoints;
mod entry;
mod explain;
pub mod keys;
mod known;
mod load;
mod nearest;
mod network;
pub mod parse;
mod reference;
pub mod render;
pub mod scrub;
mod secret_texts;
mod secrets;
mod show;
mod slots;
mod source;
mod unicode;
mod value;
mod yaml;

pub use changes::Change;
pub use check::{Report, check, check_config_bytes};
pub use config::Config;
pub use diagnostic::{Diagnostic, Severity};
pub use endpoints::{Endpoint, EndpointKey, Role, SeriesProtocol, site_from_url, version_prefix};
pub use entry::{
    BoolKey, BytesKey, CommaListKey, CsvKey, DurationKey, Entry, FloatKey, IntKey, JsonKey, Kind,
    ListKey, MapKey, RatesKey, Reload, StrKey, TagsKey,
};
pub use explain::{ExplainError, Explanation, LayerValue};
pub use load::{LoadError, load};
pub use network::{Proxy, TlsVersion, tls_version};
pub use reference::reference;
pub use secrets::{SecretError, handle as secret_handle};
pub use show::ShowScope;
pub use source::{FileSource, Layer, SecretMode, Source, Sources};
pub use yaml::YamlError;
