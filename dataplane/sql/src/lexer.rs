//! The lexer of the other modes. spec: apm-obfuscation §3

mod collect;
mod normalize;
mod obfuscate;
mod quotes;
mod scanner;
mod token;
mod words;

pub(crate) use normalize::{Buffers, normalize};
pub(crate) use obfuscate::obfuscate;

use crate::{Dbms, Options};

/// What a statement is read with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement<'i> {
    pub(crate) text: &'i str,
    pub(crate) dbms: Dbms,
    pub(crate) options: &'i Options,
}
