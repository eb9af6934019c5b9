//! Regular expressions and replacements as configurations have them: in the syntax of RE2.
//!
//! ```text
//! pattern --translate--> what the `regex` crate compiles
//! replacement, compiled pattern --Template::new--> Template --expand--> text of one match
//! ```
//!
//! It deliberately compiles nothing: limits of memory, and what is said of a pattern that is wrong,
//! belong to the setting that it comes from. How matches are walked belongs to the caller too.
//!
//! Invariants: nothing panics, whatever the text; what neither engine has is left for the compiler
//! to refuse. Expanding a template allocates only what the output grows by.

#![forbid(unsafe_code)]

mod template;
mod translate;

pub use template::Template;
pub use translate::translate;
