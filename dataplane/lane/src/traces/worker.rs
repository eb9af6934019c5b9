//! The worker: one local task of the lane's executor that serves request after request.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use futures_lite::future::{or, yield_now};
use server::{Answer, Head, Refusal, Request, Route, Server};

use super::Traces;
use super::capture::capture;
use super::container::Container;
use super::work::{StatsWork, Step, Work};
use crate::driver::{Drive, clock};
use crate::lane::Lane;

pub(super) type SharedDrive = Rc<RefCell<Drive>>;

/// Serves the requests of a lane, and payloads that were held, until its server has stopped. Never
/// borrows the lane across a point where others have their turn.
pub(crate) async fn worker(drive: SharedDrive, server: Rc<Server>) {
    while or(server.requested(), released(&drive)).await {
        unblocked(&drive, &server).await;
        serve_released(&drive).await;
        while let Some(request) = server.next_request() {
            serve(&drive, &server, request).await;
            yield_now().await;
            unblocked(&drive, &server).await;
            serve_released(&drive).await;
        }
    }
    with_traces(&drive, |lane, traces| traces.look_for_tags(lane.snapshot(), true));
    serve_released(&drive).await;
}

/// Waits for a payload that was held and goes on.
async fn released(drive: &SharedDrive) -> bool {
    poll_fn(|cx| match drive.borrow_mut().traces() {
        Some((_, traces)) if traces.held.is_due() => Poll::Ready(true),
        Some((_, traces)) => {
            traces.held.wait(cx.waker());
            Poll::Pending
        }
        None => Poll::Pending,
    })
    .await
}

/// Works on all payloads that were held and go on.
async fn serve_released(drive: &SharedDrive) {
    let next = |_: &mut Lane, traces: &mut Traces| {
        traces.held.next().map(|held| traces.begin_released(held))
    };
    while let Some(Some(work)) = with_traces(drive, next) {
        work_on(drive, work).await;
    }
}

/// Waits while control is behind, unless something waits that costs next to nothing.
async fn unblocked(drive: &SharedDrive, server: &Server) {
    poll_fn(|cx| match drive.borrow_mut().traces() {
        Some((_, traces)) if traces.is_blocked() && !server.has_prompt_request() => {
            traces.waiting = Some(cx.waker().clone());
            Poll::Pending
        }
        _ => Poll::Ready(()),
    })
    .await;
}

async fn serve(drive: &SharedDrive, server: &Server, request: Request) {
    match (request.refusal, request.head.route) {
        (Some(Refusal::Busy), _) => {
            let busy = |traces: &mut Traces, head: &Head| traces.busy(head);
            let answer = with_traces(drive, |_, traces| busy(traces, &request.head));
            request.answer(answer.unwrap_or_else(Answer::timeout));
        }
        (Some(_), _) => request.answer(Answer::timeout()),
        (None, Route::Info) => {
            let container = drive.borrow_mut().lane.container_of(&request.head, clock());
            request.answer(Answer::info(&server.identity(), Some(&container.tags_hash())));
        }
        (None, Route::Services(_)) => request.answer(Answer::ok()),
        (None, Route::Traces(_)) => serve_traces(drive, request).await,
        (None, Route::Stats) => {
            let container = drive.borrow_mut().lane.container_of(&request.head, clock());
            capture(drive, &request, &container).await;
            serve_stats(drive, StatsWork::new(request, container)).await;
        }
        (None, Route::Proxy(_) | Route::Unknown) => request.answer(Answer::not_found()),
    }
}

async fn serve_traces(drive: &SharedDrive, request: Request) {
    let container = drive.borrow_mut().lane.container_of(&request.head, clock());
    capture(drive, &request, &container).await;
    let begun = with_traces(drive, |_, traces| traces.begin(request, container));
    if let Some(Some(work)) = begun {
        work_on(drive, work).await;
    }
}

async fn work_on(drive: &SharedDrive, mut work: Work) {
    loop {
        yield_now().await;
        let now_ns = clock().unix_us.saturating_mul(1000);
        let step = with_traces(drive, |lane, traces| {
            traces.step(&mut work, now_ns, |id| Container::with_id(id, lane.snapshot()))
        });
        match step {
            Some(Step::More) => {}
            Some(Step::Full) => drained(drive).await,
            Some(Step::Untagged) => {
                with_traces(drive, |_, traces| traces.keep_until_tagged(work));
                return;
            }
            Some(Step::Done) | None => return,
        }
    }
}

/// Waits until control has taken what is encoded.
async fn drained(drive: &SharedDrive) {
    poll_fn(|cx| match drive.borrow_mut().traces() {
        Some((_, traces)) if traces.is_full() => {
            traces.waiting = Some(cx.waker().clone());
            Poll::Pending
        }
        _ => Poll::Ready(()),
    })
    .await;
}

async fn serve_stats(drive: &SharedDrive, work: StatsWork) {
    let mut next = Some(work);
    while let Some(work) = next {
        yield_now().await;
        next = with_traces(drive, |_, traces| traces.step_stats(work)).flatten();
    }
}

pub(super) fn with_traces<T>(
    drive: &SharedDrive,
    work: impl FnOnce(&mut Lane, &mut Traces) -> T,
) -> Option<T> {
    drive.borrow_mut().traces().map(|(lane, traces)| work(lane, traces))
}
