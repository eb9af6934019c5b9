//! No io_uring: what stands in for its driver in a build without the feature `io-uring`.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use crate::driver::Drive;

/// Says that there is none; the lane goes on with epoll.
pub(super) fn run(_: Rc<RefCell<Drive>>) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, crate::NO_IO_URING.unwrap_or_default()))
}
