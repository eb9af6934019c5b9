//! The epoll driver: `epoll_wait` and a pause.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use super::turns::Turns;
use super::{Drive, TICK};
use crate::Wait;

pub(super) fn run(drive: &Rc<RefCell<Drive>>) -> io::Result<()> {
    let mut turns = Turns::new(drive)?;
    let mut timeout = TICK;
    while let Some(wait) = turns.turn(timeout)? {
        timeout = match wait {
            Wait::Again => Duration::ZERO,
            Wait::Pause(pause) => {
                super::pause(pause);
                Duration::ZERO
            }
            Wait::Ready => TICK,
        };
    }
    Ok(())
}
