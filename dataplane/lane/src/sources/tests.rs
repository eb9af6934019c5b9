#![expect(clippy::disallowed_methods, reason = "a test is the driver")]

use std::os::unix::net::UnixDatagram;
use std::time::Instant;

use receive::{SocketFile, SocketOptions, bind_unixgram};
use tempfile::TempDir;

use super::*;
use crate::{LaneHandle, test_lane};

struct Bed {
    lane: Lane,
    source: Source,
    client: UnixDatagram,
    _handle: LaneHandle,
    _file: SocketFile,
    _directory: TempDir,
}

impl Bed {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dsd.socket");
        let options = SocketOptions {
            receive_buffer_bytes: 0,
            queue_packets: 0,
            has_credentials: false,
            has_timestamps: false,
            packet_bytes_max: 64,
        };
        let (socket, file) = bind_unixgram(&path, &options).unwrap();
        let client = UnixDatagram::unbound().unwrap();
        client.connect(&path).unwrap();
        let (handle, lane) = test_lane::lane(now());
        Self {
            lane,
            source: Source::new(socket, 8, Transport::Unixgram),
            client,
            _handle: handle,
            _file: file,
            _directory: directory,
        }
    }

    /// Drains while `refills` packets come, one after each batch that was read.
    fn drain_while_refilled(&mut self, mut refills: usize) -> Found {
        let Self { lane, source, client, .. } = self;
        source.drain(lane, now(), &mut |_, _| {
            if refills > 0 {
                refills -= 1;
                client.send(b"late:1|c\n").unwrap();
            }
            true
        })
    }
}

fn now() -> Now {
    Now { unix_us: 1_700_000_000_000_000, instant: Instant::now() }
}

#[test]
fn what_fills_a_unix_queue_again_is_read_in_the_same_look() {
    let mut bed = Bed::new();
    bed.client.send(b"a:1|c\n").unwrap();
    bed.client.send(b"b:1|c\n").unwrap();
    let found = bed.drain_while_refilled(3);
    assert_eq!((found.packets, found.is_backlogged), (5, false));
}

#[test]
fn a_unix_queue_that_never_empties_is_left_backlogged() {
    let mut bed = Bed::new();
    bed.client.send(b"a:1|c\n").unwrap();
    let found = bed.drain_while_refilled(usize::MAX);
    assert_eq!((found.packets, found.is_backlogged), (BATCHES_PER_LOOK, true));
}
