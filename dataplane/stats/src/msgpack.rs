//! MessagePack, as much of it as statistics need.

mod read;
mod write;

pub(crate) use read::{Malformed, Reader};
pub(crate) use write::Writer;
