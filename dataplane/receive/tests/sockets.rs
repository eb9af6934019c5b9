//! Real sockets: what is sent arrives, whole or marked.

use std::io::Write;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};

use corelane_receive::{
    BindError, ReadOutcome, SocketOptions, UdpSpread, bind_udp, bind_unixgram, bind_unixstream,
};

const OPTIONS: SocketOptions = SocketOptions {
    queue_packets: 0,
    receive_buffer_bytes: 1 << 20,
    has_credentials: true,
    has_timestamps: true,
    packet_bytes_max: 64,
};

#[test]
fn datagrams_over_udp_arrive_with_stamps_on_both_families() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let socket =
            bind_udp(address.parse().unwrap(), 1, UdpSpread::Random, &OPTIONS).unwrap().remove(0);
        let to = socket.address().unwrap();
        let client = UdpSocket::bind((to.ip(), 0)).unwrap();
        client.send_to(b"a:1|c", to).unwrap();
        client.send_to(&[b'x'; 65], to).unwrap();
        let mut batch = socket.new_batch(8);
        let mut seen = Vec::new();
        while seen.len() < 2 {
            socket.receive(&mut batch).unwrap();
            for packet in batch.packets() {
                assert!(packet.stamp_us > 1_600_000_000_000_000);
                seen.push((packet.bytes.to_vec(), packet.is_truncated));
            }
        }
        assert_eq!(seen, [(b"a:1|c".to_vec(), false), (vec![b'x'; 64], true)]);
        assert!(socket.buffer_bytes() > 0);
        assert_eq!(socket.kernel_drops(), 0);
    }
}

#[test]
fn a_few_senders_reach_every_lane() {
    let sockets = bind_udp("127.0.0.1:0".parse().unwrap(), 4, UdpSpread::Random, &OPTIONS).unwrap();
    let to = sockets[0].address().unwrap();
    assert!(sockets.iter().all(|socket| socket.address() == Some(to)));
    assert!(!sockets[0].is_spread_by_flow());
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..400 {
        client.send_to(b"a:1|c", to).unwrap();
    }
    let counts: Vec<usize> = sockets
        .iter()
        .map(|socket| {
            let mut batch = socket.new_batch(64);
            let mut count = 0;
            while socket.receive(&mut batch).unwrap() > 0 {
                count += batch.packets().count();
            }
            count
        })
        .collect();
    assert_eq!(counts.iter().sum::<usize>(), 400);
    assert!(counts.iter().all(|&count| count > 20), "{counts:?}");
}

#[test]
fn a_port_of_another_process_is_not_joined() {
    let other = UdpSocket::bind("127.0.0.1:0").unwrap();
    let error = bind_udp(other.local_addr().unwrap(), 2, UdpSpread::Flow, &OPTIONS).unwrap_err();
    assert!(matches!(error, BindError::AddressInUse(_)), "{error}");
}

#[test]
fn what_the_kernel_dropped_is_counted() {
    let options = SocketOptions { receive_buffer_bytes: 4096, ..OPTIONS };
    let socket =
        bind_udp("127.0.0.1:0".parse().unwrap(), 1, UdpSpread::Flow, &options).unwrap().remove(0);
    let to = socket.address().unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..1000 {
        client.send_to(&[b'x'; 60], to).unwrap();
    }
    let mut batch = socket.new_batch(64);
    let mut received = 0;
    while socket.receive(&mut batch).unwrap() > 0 {
        received += batch.packets().count();
    }
    assert_eq!(received + socket.kernel_drops() as usize, 1000);
    assert!(socket.kernel_drops() > 0);
}

#[test]
fn unix_datagrams_carry_their_sender() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dsd.socket");
    let (socket, file) = bind_unixgram(&path, &OPTIONS).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o722);
    let client = UnixDatagram::unbound().unwrap();
    client.send_to(b"a:1|c", &path).unwrap();
    client.send_to(&[b'x'; 65], &path).unwrap();
    let mut batch = socket.new_batch(8);
    assert_eq!(socket.receive(&mut batch).unwrap(), 2);
    let packets: Vec<_> = batch.packets().collect();
    assert_eq!(packets[0].bytes, b"a:1|c");
    assert_eq!(packets[0].peer.unwrap().pid, i32::try_from(std::process::id()).unwrap());
    assert!(packets[1].is_truncated && packets[1].bytes.len() == 64);
    drop(file);
    assert!(!path.exists());
}

/// More packets than the kernel's default queue, from a client that does not wait. Without the
/// right to change the setting the queue is that of the system.
#[test]
fn a_queue_of_unix_datagrams_is_as_long_as_wished() {
    const SETTING: &str = "/proc/sys/net/unix/max_dgram_qlen";
    let before = std::fs::read_to_string(SETTING).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dsd.socket");
    let options = SocketOptions { queue_packets: 100, ..OPTIONS };
    let (socket, _file) = bind_unixgram(&path, &options).unwrap();
    assert_eq!(std::fs::read_to_string(SETTING).unwrap(), before, "the setting is put back");

    let is_writable = std::fs::OpenOptions::new().write(true).open(SETTING).is_ok();
    let of_system: usize = before.trim().parse().unwrap();
    let expected = if is_writable { of_system.max(100) } else { of_system };
    assert_eq!(socket.queue_packets(), Some(expected));

    let client = UnixDatagram::unbound().unwrap();
    client.set_nonblocking(true).unwrap();
    let is_taken = |_: &usize| client.send_to(b"a:1|c", &path).is_ok();
    // The kernel admits one more than the length.
    assert_eq!((0..100).take_while(is_taken).count(), 100.min(expected + 1));
}

#[test]
fn stream_frames_arrive_from_each_connection() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dsd-stream.socket");
    let (listener, _file) = bind_unixstream(&path, &OPTIONS).unwrap();
    assert!(listener.accept().unwrap().is_none());
    let mut client = UnixStream::connect(&path).unwrap();
    let mut connection = listener.accept().unwrap().unwrap();
    assert_eq!(connection.read().unwrap(), ReadOutcome::Waiting);
    client.write_all(b"\x05\x00\x00\x00a:1|c").unwrap();
    assert_eq!(connection.read().unwrap(), ReadOutcome::Bytes(9));
    assert_eq!(connection.framer_mut().next_frame(), Ok(Some(b"a:1|c".as_slice())));
    assert_eq!(connection.peer().unwrap().pid, i32::try_from(std::process::id()).unwrap());
    drop(client);
    assert_eq!(connection.read().unwrap(), ReadOutcome::Closed);
}

#[test]
fn a_path_in_the_way_is_explained() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    assert!(matches!(bind_unixgram(&file, &OPTIONS), Err(BindError::NotASocket(_))));
    assert!(file.exists(), "never removed");

    let missing = directory.path().join("no/such/dsd.socket");
    assert!(matches!(bind_unixgram(&missing, &OPTIONS), Err(BindError::NoDirectory(_))));

    let path = directory.path().join("dsd.socket");
    let stale = UnixDatagram::bind(&path).unwrap();
    assert!(matches!(bind_unixgram(&path, &OPTIONS), Err(BindError::PathInUse(_))));
    drop(stale);
    assert!(bind_unixgram(&path, &OPTIONS).is_ok(), "a stale socket file is replaced");

    let long = directory.path().join("x".repeat(200));
    assert!(matches!(bind_unixgram(&long, &OPTIONS), Err(BindError::PathTooLong(_))));
}
