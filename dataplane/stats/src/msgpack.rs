//! MessagePack, as much of it as statistics need.

mod write;

pub(crate) use write::Writer;
