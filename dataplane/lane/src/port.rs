//! What control and a lane say to each other, over bounded rings.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::task::Waker;

use entity::OriginSnapshot;
use metrics::TopContext;
use naming::Rules;
use rtrb::{Consumer, Producer, RingBuffer};
use signal::{FlushedLane, LaneCounters};

use crate::bell::{Bell, BellReceiver, bell};
use crate::lane::CaptureTap;
use crate::{NewConnection, RequestTap, TraceHandover, TraceOrders};

/// What a lane is asked to do.
#[derive(Debug)]
pub enum Command {
    /// Hand over what was complete before this time (Unix seconds).
    Flush {
        /// Start of the first bucket that stays.
        cutoff_secs: u64,
    },
    /// Hand over everything, the open bucket included, which ends now.
    FlushOpen,
    /// Use these rules from now on.
    SetRules(Box<Rules>),
    /// Use these origin tags from now on.
    SetSnapshot(Arc<OriginSnapshot>),
    /// Take no new context while so many are there; 0 takes none.
    SetContextsMax(usize),
    /// Copy packets to a capture from now on.
    Capture(CaptureTap),
    /// Copy requests with traces and stats to a capture from now on.
    CaptureRequests(RequestTap),
    /// List all contexts.
    Top,
    /// Serve this connection.
    Connection(NewConnection),
    /// What concerns traces; answered by [`Output::Traces`].
    Traces(Box<TraceOrders>),
    /// Read what the sockets hold, hand everything over, end.
    Stop {
        /// Whether the open bucket is handed over too.
        with_open_bucket: bool,
    },
    /// Panic, so that a test sees the restart.
    Panic,
}

/// What a lane answers.
#[derive(Debug)]
pub enum Output {
    /// Answer to [`Command::Flush`] or [`Command::FlushOpen`].
    Flushed(Box<FlushedLane>),
    /// Timestamped samples, between flushes.
    Timed(Box<FlushedLane>),
    /// Part of the answer to [`Command::Top`].
    Top(Vec<TopContext>),
    /// End of the answer to [`Command::Top`].
    TopEnd,
    /// Answer to [`Command::Traces`], or what had to leave before it.
    Traces(Box<TraceHandover>),
    /// Answer to [`Command::Stop`]: the last output.
    Stopped(Box<FlushedLane>),
}

/// Commands and answers that may wait in a ring.
const RING_ENTRIES: usize = 256;

/// Control's end of a lane.
#[derive(Debug)]
pub struct LaneHandle {
    /// The lane's counters.
    pub counters: Arc<LaneCounters>,
    commands: Producer<Command>,
    outputs: Consumer<Output>,
    bell: Arc<Bell>,
}

/// The lane's end.
#[derive(Debug)]
pub struct LanePort {
    pub(crate) counters: Arc<LaneCounters>,
    pub(crate) commands: Consumer<Command>,
    pub(crate) bell: BellReceiver,
    /// Rings that bell.
    pub(crate) alarm: Waker,
    outputs: Producer<Output>,
    /// Answers for which the ring had no room.
    backlog: VecDeque<Output>,
}

/// Both ends.
///
/// # Errors
/// When no file descriptor is left.
pub fn port() -> io::Result<(LaneHandle, LanePort)> {
    let counters = Arc::<LaneCounters>::default();
    let (command_producer, commands) = RingBuffer::new(RING_ENTRIES);
    let (outputs, output_consumer) = RingBuffer::new(RING_ENTRIES);
    let (bell, bell_receiver) = bell()?;
    let bell = Arc::new(bell);
    let alarm = Waker::from(Arc::clone(&bell));
    let handle = LaneHandle {
        counters: Arc::clone(&counters),
        commands: command_producer,
        outputs: output_consumer,
        bell,
    };
    let backlog = VecDeque::new();
    let port = LanePort { counters, commands, bell: bell_receiver, alarm, outputs, backlog };
    Ok((handle, port))
}

impl LaneHandle {
    /// Sends a command and wakes the lane.
    ///
    /// # Errors
    /// The command, when the lane has not taken the last 256.
    pub fn send(&mut self, command: Command) -> Result<(), Command> {
        let sent = self.commands.push(command).map_err(|rtrb::PushError::Full(command)| command);
        self.bell.ring();
        sent
    }

    /// The next answer, if there is one.
    pub fn receive(&mut self) -> Option<Output> {
        self.outputs.pop().ok()
    }

    /// Whether the lane obeys, or has obeyed, every command sent so far: nothing it reads from now
    /// on is treated by older orders.
    #[must_use]
    pub fn has_taken_all(&self) -> bool {
        self.commands.slots() == RING_ENTRIES
    }

    /// Whether the lane has ended and left nothing to read.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.outputs.is_abandoned() && self.outputs.is_empty()
    }

    /// Its bell.
    #[must_use]
    pub const fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }
}

impl LanePort {
    /// Sends an answer, or keeps it until the ring has room.
    pub(crate) fn answer(&mut self, output: Output) {
        self.backlog.push_back(output);
        self.deliver();
    }

    /// Sends answers that were kept.
    pub(crate) fn deliver(&mut self) {
        while let Some(output) = self.backlog.pop_front() {
            if let Err(rtrb::PushError::Full(output)) = self.outputs.push(output) {
                self.backlog.push_front(output);
                return;
            }
        }
    }

    /// Whether control has taken less than it was given.
    pub(crate) fn is_behind(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Answers that control has not taken.
    pub(crate) fn waiting(&self) -> usize {
        RING_ENTRIES - self.outputs.slots() + self.backlog.len()
    }

    /// Whether control is gone.
    pub(crate) fn is_orphaned(&self) -> bool {
        self.outputs.is_abandoned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_command_is_taken_when_the_lane_has_it() {
        let (mut handle, mut port) = port().unwrap();
        assert!(handle.has_taken_all());
        handle.send(Command::Top).unwrap();
        assert!(!handle.has_taken_all());
        assert!(matches!(port.commands.pop(), Ok(Command::Top)));
        assert!(handle.has_taken_all());
    }

    proptest! {
        /// Answers arrive once and in order, however slow control is.
        #[test]
        fn answers_agree_with_a_queue(
            script in prop::collection::vec((any::<bool>(), 1u16..400), 0..40),
        ) {
            let (mut handle, mut port) = port().unwrap();
            let (mut model, mut next) = (VecDeque::new(), 0);
            for (is_answer, count) in script {
                for _ in 0..count {
                    if is_answer {
                        let lane = FlushedLane { lane: next, ..FlushedLane::default() };
                        port.answer(Output::Flushed(Box::new(lane)));
                        model.push_back(next);
                        next += 1;
                    } else if let Some(expected) = model.pop_front() {
                        port.deliver();
                        let Some(Output::Flushed(lane)) = handle.receive() else {
                            panic!("answer {expected} is missing")
                        };
                        prop_assert_eq!(lane.lane, expected);
                    }
                }
                port.deliver();
                prop_assert_eq!(port.waiting(), model.len());
                prop_assert_eq!(port.is_behind(), model.len() > RING_ENTRIES);
            }
        }
    }
}
