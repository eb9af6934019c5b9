//! What a statement touches.

use crate::names::{List, Names};

/// Buffers for the metadata of one statement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collected {
    pub(crate) tables: Names,
    pub(crate) commands: Names,
    pub(crate) comments: Names,
    pub(crate) procedures: Names,
    /// A name in the making.
    pub(crate) name: Vec<u8>,
}

impl Collected {
    pub(crate) fn clear(&mut self) {
        for names in
            [&mut self.tables, &mut self.commands, &mut self.comments, &mut self.procedures]
        {
            names.clear();
        }
    }

    pub(crate) fn view(&self) -> Metadata<'_> {
        Metadata {
            tables: self.tables.view(),
            commands: self.commands.view(),
            comments: self.comments.view(),
            procedures: self.procedures.view(),
        }
    }
}

/// What a statement touches, as far as [`Collect`](crate::Collect) asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// Names of tables.
    pub tables: List<'a>,
    /// Commands, in upper case.
    pub commands: List<'a>,
    /// Comments, as written.
    pub comments: List<'a>,
    /// Names of procedures.
    pub procedures: List<'a>,
}

impl<'a> Metadata<'a> {
    /// Bytes of all names. spec: apm-obfuscation §3.3, "size"
    pub fn size_bytes(&self) -> usize {
        self.lists().iter().map(|list| list.name_bytes()).sum()
    }

    pub(crate) fn lists(&self) -> [List<'a>; 4] {
        [self.tables, self.commands, self.comments, self.procedures]
    }
}
