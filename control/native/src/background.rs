//! A future of what a thread does: the host may run any executor, or none.

use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::thread::Builder;

/// What a thread and its future share.
struct Task<T> {
    outcome: Mutex<(Option<T>, Option<Waker>)>,
    is_given_up: Arc<AtomicBool>,
}

/// Runs `work` on a thread of its own. `work` is given a flag that says when nobody waits any more.
pub(crate) async fn run<T: Send + 'static>(
    name: &str,
    work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
) -> io::Result<T> {
    let is_given_up = Arc::<AtomicBool>::default();
    let task =
        Arc::new(Task { outcome: Mutex::new((None, None)), is_given_up: Arc::clone(&is_given_up) });
    let guard = GivesUp(is_given_up);
    let thread = {
        let task = Arc::clone(&task);
        Builder::new().name(name.to_owned()).spawn(move || {
            let done = work(&task.is_given_up);
            let mut outcome = task.outcome.lock().unwrap_or_else(PoisonError::into_inner);
            outcome.0 = Some(done);
            if let Some(waker) = outcome.1.take() {
                waker.wake();
            }
        })?
    };
    let done = poll_fn(|cx| {
        let mut outcome = task.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(done) = outcome.0.take() {
            return Poll::Ready(Some(done));
        }
        if thread.is_finished() {
            return Poll::Ready(None);
        }
        outcome.1 = Some(cx.waker().clone());
        Poll::Pending
    })
    .await;
    drop(guard);
    match thread.join() {
        Ok(()) => done.ok_or_else(|| io::Error::other("the thread ended without a result")),
        Err(_) => Err(io::Error::other("the thread panicked")),
    }
}

/// Says at drop that nobody waits any more.
struct GivesUp(Arc<AtomicBool>);

impl Drop for GivesUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
