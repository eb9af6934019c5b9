//! How many datagrams the kernel queues for a Unix datagram socket.
//!
//! It is a setting of the network namespace (`net.unix.max_dgram_qlen`) that a socket takes when it
//! is made, and no option of the socket changes it later. The kernel's default of 10 is filled by
//! an ordinary burst, which clients that do not wait lose.

use std::fs;
use std::io;

use socket2::Socket;

const SETTING: &str = "/proc/sys/net/unix/max_dgram_qlen";
/// The default of the kernel, where the setting cannot be read.
const KERNEL_DEFAULT: usize = 10;
/// Another process may put the setting back while the socket is made.
const ATTEMPTS: usize = 4;

/// Makes a socket whose queue holds `wished` datagrams where this process may have it so, and says
/// how many it holds.
///
/// A shorter setting is raised for the moment in which the socket is made. Where it may not be
/// written, the queue is as long as it says.
pub(crate) fn make_with_queue(
    wished: usize,
    make: impl Fn() -> io::Result<Socket>,
) -> io::Result<(Socket, usize)> {
    let mut attempts = ATTEMPTS;
    loop {
        let _raised = Raised::to(wished);
        let before = setting();
        let socket = make()?;
        let queue_packets = before.min(setting());
        attempts -= 1;
        if queue_packets >= wished || attempts == 0 {
            return Ok((socket, queue_packets));
        }
    }
}

fn setting() -> usize {
    let text = fs::read_to_string(SETTING).ok();
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(KERNEL_DEFAULT)
}

/// The setting while it is raised; put back at drop.
struct Raised {
    before: usize,
}

impl Raised {
    /// `None` when it need not or may not be changed.
    fn to(wished: usize) -> Option<Self> {
        let before = setting();
        (before < wished && fs::write(SETTING, wished.to_string()).is_ok())
            .then_some(Self { before })
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        // What could be written a moment ago can be written again.
        drop(fs::write(SETTING, self.before.to_string()));
    }
}
