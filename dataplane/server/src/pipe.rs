//! A bounded pipe between a lane and a task of control: a ring and two wakers, no lock.
//!
//! Waking a task of the lane does not end the sleep of its driver, which waits in the kernel. The
//! end of a lane therefore has an alarm, which is woken after the task: the driver then looks.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use atomic_waker::AtomicWaker;
use bytes::Bytes;
use rtrb::{Consumer, Producer, RingBuffer};

/// The end that things are put into. Its drop is the end of the stream.
pub(crate) struct Sender<T> {
    ring: Producer<T>,
    shared: Arc<Shared>,
}

/// The end that things are taken from. Its drop tells the sender that nobody wants more.
pub(crate) struct Receiver<T> {
    ring: Consumer<T>,
    shared: Arc<Shared>,
}

/// The other end is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// What wakes the threads of both ends, where that takes more than waking a task.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alarms {
    pub(crate) sender: Option<Waker>,
    pub(crate) receiver: Option<Waker>,
}

#[derive(Debug)]
struct Shared {
    sender: End,
    receiver: End,
}

#[derive(Debug)]
struct End {
    /// Its task, while it waits.
    task: AtomicWaker,
    alarm: Option<Waker>,
    is_gone: AtomicBool,
}

/// Both ends of a pipe that holds at most `capacity` things.
pub(crate) fn pipe<T>(capacity: usize, alarms: Alarms) -> (Sender<T>, Receiver<T>) {
    let (producer, consumer) = RingBuffer::new(capacity);
    let shared =
        Arc::new(Shared { sender: End::new(alarms.sender), receiver: End::new(alarms.receiver) });
    let sender = Sender { ring: producer, shared: Arc::clone(&shared) };
    (sender, Receiver { ring: consumer, shared })
}

impl End {
    const fn new(alarm: Option<Waker>) -> Self {
        Self { task: AtomicWaker::new(), alarm, is_gone: AtomicBool::new(false) }
    }

    fn wake(&self) {
        if let Some(task) = self.task.take() {
            task.wake();
            if let Some(alarm) = &self.alarm {
                alarm.wake_by_ref();
            }
        }
    }

    fn leave(&self) {
        self.is_gone.store(true, Ordering::Release);
    }

    fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Acquire)
    }
}

impl<T> Sender<T> {
    /// Puts one thing in.
    ///
    /// # Errors
    /// The thing, when there is no room or nobody to take it.
    pub(crate) fn push(&mut self, item: T) -> Result<(), T> {
        if self.shared.receiver.is_gone() {
            return Err(item);
        }
        self.ring.push(item).map_err(|rtrb::PushError::Full(item)| item)?;
        self.shared.receiver.wake();
        Ok(())
    }

    /// Waits for room, which is when `has_room` says so of the number of things inside.
    ///
    /// # Errors
    /// When nobody takes any more.
    pub(crate) fn poll_room(
        &mut self,
        cx: &Context<'_>,
        has_room: impl Fn(usize) -> bool,
    ) -> Poll<Result<(), Gone>> {
        let look = || {
            if self.shared.receiver.is_gone() {
                return Some(Err(Gone));
            }
            let free = self.ring.slots();
            (free > 0 && has_room(self.ring.buffer().capacity() - free)).then_some(Ok(()))
        };
        if let Some(found) = look() {
            return Poll::Ready(found);
        }
        self.shared.sender.task.register(cx.waker());
        // What changed before the waker was known woke nobody.
        look().map_or(Poll::Pending, Poll::Ready)
    }

    /// Waits until nobody takes any more.
    pub(crate) fn poll_gone(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.shared.sender.task.register(cx.waker());
        if self.shared.receiver.is_gone() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Whether nobody takes any more.
    pub(crate) fn is_unwanted(&self) -> bool {
        self.shared.receiver.is_gone()
    }
}

impl<T> Receiver<T> {
    /// The next thing; none when the other end is gone and everything was taken.
    pub(crate) fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<T>> {
        if let Some(item) = self.take() {
            return Poll::Ready(Some(item));
        }
        self.shared.receiver.task.register(cx.waker());
        // Looked at before the ring, so that what was put in before the end is not missed.
        let is_over = self.shared.sender.is_gone();
        match self.take() {
            None if !is_over => Poll::Pending,
            next => Poll::Ready(next),
        }
    }

    fn take(&mut self) -> Option<T> {
        let item = self.ring.pop().ok()?;
        self.shared.sender.wake();
        Some(item)
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.sender.leave();
        self.shared.receiver.wake();
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.receiver.leave();
        self.shared.sender.wake();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("shared", &self.shared).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("shared", &self.shared).finish_non_exhaustive()
    }
}

/// Bytes that all pipes of a lane may hold together.
#[derive(Debug)]
pub(crate) struct PipeBudget {
    used: AtomicUsize,
    max: usize,
}

impl PipeBudget {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), max })
    }

    /// Whether a pipe with so many pieces inside may take one more. An empty one always may: it is
    /// woken when it is emptied, so that none waits for another one's bytes.
    pub(crate) fn has_room(&self, inside: usize) -> bool {
        inside == 0 || self.used.load(Ordering::Relaxed) < self.max
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

/// Bytes on their way, which count against the budget until they are taken.
#[derive(Debug)]
pub(crate) struct Charged {
    bytes: Bytes,
    budget: Arc<PipeBudget>,
}

impl Charged {
    pub(crate) fn new(bytes: Bytes, budget: &Arc<PipeBudget>) -> Self {
        budget.used.fetch_add(bytes.len(), Ordering::Relaxed);
        Self { bytes, budget: Arc::clone(budget) }
    }

    pub(crate) fn take(mut self) -> Bytes {
        let bytes = std::mem::take(&mut self.bytes);
        self.budget.used.fetch_sub(bytes.len(), Ordering::Relaxed);
        bytes
    }
}

impl Drop for Charged {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::future::poll_fn;
    use std::sync::atomic::AtomicU64;
    use std::task::Wake;
    use std::thread::Thread;

    use proptest::prelude::*;

    use super::*;

    fn context() -> Context<'static> {
        Context::from_waker(Waker::noop())
    }

    /// Unparks a thread, as an alarm does to a driver.
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    fn block_on<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut cx = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(value) = poll(&mut cx) {
                return value;
            }
            std::thread::park();
        }
    }

    #[test]
    fn what_was_put_in_before_the_end_is_taken() {
        let (mut sender, mut receiver) = pipe(2, Alarms::default());
        assert!(receiver.poll_next(&context()).is_pending());
        sender.push(1).unwrap();
        sender.push(2).unwrap();
        assert_eq!(sender.push(3), Err(3));
        assert!(sender.poll_room(&context(), |_| true).is_pending());
        drop(sender);
        assert_eq!(receiver.poll_next(&context()), Poll::Ready(Some(1)));
        assert_eq!(receiver.poll_next(&context()), Poll::Ready(Some(2)));
        assert_eq!(receiver.poll_next(&context()), Poll::Ready(None));
    }

    #[test]
    fn a_sender_learns_that_nobody_takes_any_more() {
        let (mut sender, receiver) = pipe(1, Alarms::default());
        assert!(sender.poll_gone(&context()).is_pending());
        drop(receiver);
        assert!(sender.is_unwanted());
        assert_eq!(sender.poll_gone(&context()), Poll::Ready(()));
        assert_eq!(sender.poll_room(&context(), |_| true), Poll::Ready(Err(Gone)));
        assert_eq!(sender.push(1), Err(1));
    }

    #[test]
    fn the_alarm_goes_off_for_a_task_that_waits_alone() {
        struct Count(AtomicU64);
        impl Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let count = Arc::new(Count(AtomicU64::new(0)));
        let alarms = Alarms { receiver: Some(Arc::clone(&count).into()), sender: None };
        let (mut sender, mut receiver) = pipe(4, alarms);
        sender.push(1).unwrap();
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        assert!(receiver.poll_next(&context()).is_ready());
        assert!(receiver.poll_next(&context()).is_pending());
        sender.push(2).unwrap();
        sender.push(3).unwrap();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn nothing_is_lost_between_threads() {
        const ITEMS: u64 = 20_000;
        for capacity in [1, 3] {
            let (mut sender, mut receiver) = pipe(capacity, Alarms::default());
            let taking = std::thread::spawn(move || {
                let mut sum = 0;
                while let Some(item) = block_on(|cx| receiver.poll_next(cx)) {
                    sum += item;
                }
                sum
            });
            for item in 0..ITEMS {
                block_on(|cx| sender.poll_room(cx, |_| true)).unwrap();
                sender.push(item).unwrap();
            }
            drop(sender);
            assert_eq!(taking.join().unwrap(), ITEMS * (ITEMS - 1) / 2);
        }
    }

    #[test]
    fn a_full_budget_leaves_each_pipe_one_piece() {
        let budget = PipeBudget::new(10);
        let (mut one, _kept) = pipe(4, Alarms::default());
        let (mut two, mut taken) = pipe(4, Alarms::default());
        let room = |sender: &mut Sender<Charged>| {
            sender.poll_room(&context(), |inside| budget.has_room(inside)).is_ready()
        };
        one.push(Charged::new(Bytes::from_static(b"0123456789"), &budget)).unwrap();
        assert!(!room(&mut one));
        assert!(room(&mut two));
        two.push(Charged::new(Bytes::from_static(b"abc"), &budget)).unwrap();
        assert!(!room(&mut two));
        let Poll::Ready(Some(piece)) = taken.poll_next(&context()) else { panic!("it was there") };
        assert_eq!(&piece.take()[..], b"abc");
        assert!(room(&mut two));
        assert_eq!(budget.used(), 10);
        drop((one, _kept));
        assert_eq!(budget.used(), 0);
    }

    proptest! {
        #[test]
        fn a_pipe_is_a_queue(steps in proptest::collection::vec(any::<bool>(), 0..200)) {
            let (mut sender, mut receiver) = pipe(5, Alarms::default());
            let mut model = VecDeque::new();
            for (n, is_push) in steps.into_iter().enumerate() {
                if is_push {
                    prop_assert_eq!(sender.push(n).is_ok(), model.len() < 5);
                    if model.len() < 5 {
                        model.push_back(n);
                    }
                } else {
                    let next = match receiver.poll_next(&context()) {
                        Poll::Ready(next) => next,
                        Poll::Pending => None,
                    };
                    prop_assert_eq!(next, model.pop_front());
                }
            }
        }
    }

    #[test]
    fn futures_of_both_ends_may_move_between_threads() {
        fn is_send<T: Send>(_: &T) {}
        let (sender, mut receiver) = pipe::<u8>(1, Alarms::default());
        is_send(&sender);
        is_send(&poll_fn(move |cx| receiver.poll_next(cx)));
    }
}
