//! The worker: one local task of the lane's executor that serves request after request.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use futures_lite::future::yield_now;
use server::{Answer, Head, Refusal, Request, Route, Server};

use super::Traces;
use super::container::Container;
use super::work::Step;
use crate::driver::{Drive, clock};
use crate::lane::Lane;

type SharedDrive = Rc<RefCell<Drive>>;

/// Serves the requests of a lane until its server has stopped. Never borrows the lane across a
/// point where others have their turn.
pub(crate) async fn worker(drive: SharedDrive, server: Rc<Server>) {
    while server.requested().await {
        unblocked(&drive, &server).await;
        while let Some(request) = server.next_request() {
            serve(&drive, &server, request).await;
            yield_now().await;
            unblocked(&drive, &server).await;
        }
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
            with_traces(drive, |lane, traces| {
                let container = lane.container_of(&request.head, clock());
                traces.take_stats(request, container);
            });
        }
        (None, Route::Proxy(_) | Route::Unknown) => request.answer(Answer::not_found()),
    }
}

async fn serve_traces(drive: &SharedDrive, request: Request) {
    let begun = with_traces(drive, |lane, traces| {
        let container = lane.container_of(&request.head, clock());
        traces.begin(request, container)
    });
    let Some(Some(mut work)) = begun else { return };
    loop {
        yield_now().await;
        let now_ns = clock().unix_us.saturating_mul(1000);
        let step = with_traces(drive, |lane, traces| {
            traces.step(&mut work, now_ns, |id| Container::with_id(id, lane.snapshot()))
        });
        if step != Some(Step::More) {
            return;
        }
    }
}

fn with_traces<T>(
    drive: &SharedDrive,
    work: impl FnOnce(&mut Lane, &mut Traces) -> T,
) -> Option<T> {
    drive.borrow_mut().traces().map(|(lane, traces)| work(lane, traces))
}
