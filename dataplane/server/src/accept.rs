//! Accepts the connections of one listener.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, ready};

use crate::gate::Closed;
use crate::{Gate, ListenerIo, Permit, Server, StreamIo};

/// Connections accepted before other tasks have their turn, and other lanes that share the listener
/// their chance.
const ACCEPTS_PER_TURN: usize = 8;

/// Accepts connections as far as the gate allows and hands them to `spawn`, until the server stops.
/// What waits in the backlog then is still accepted.
pub async fn accept_connections(
    listener: ListenerIo,
    gate: Rc<Gate>,
    server: Rc<Server>,
    mut spawn: impl FnMut(StreamIo, Permit),
) {
    let mut in_turn = 0;
    poll_fn(|cx| {
        loop {
            let is_closed = ready!(gate.poll_open(cx)) == Err(Closed);
            if in_turn >= ACCEPTS_PER_TURN {
                in_turn = 0;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            match listener.poll_accept(cx) {
                Poll::Ready(Ok(stream)) => {
                    in_turn += 1;
                    spawn(stream, gate.enter());
                }
                Poll::Ready(Err(_)) => {
                    server.count(|counts| counts.accept_errors += 1);
                    gate.pause();
                    if is_closed {
                        return Poll::Ready(());
                    }
                }
                Poll::Pending if is_closed => return Poll::Ready(()),
                Poll::Pending => {
                    in_turn = 0;
                    gate.watch(cx);
                    return Poll::Pending;
                }
            }
        }
    })
    .await;
    drop(listener);
    server.end_gate(&gate);
}
