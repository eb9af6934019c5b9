//! What clients send, and what they were told to send.

use std::collections::BTreeMap;

use lane::Transport;

use crate::lanes::LANES;
use crate::random::Random;

/// All clients of a world.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    pub(crate) sent: Sent,
    /// The last value of each gauge.
    pub(crate) last_gauges: BTreeMap<String, f64>,
}

/// What sockets took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) packets: u64,
    pub(crate) lines: u64,
    /// Lines that make no sense.
    pub(crate) refused: u64,
    /// Samples without a timestamp.
    pub(crate) samples: u64,
    /// Samples with one.
    pub(crate) timed: u64,
    /// Counts of 1, and samples of distributions.
    pub(crate) ones: u64,
}

/// A packet and what is in it.
#[derive(Debug, Default)]
pub(crate) struct Packet {
    pub(crate) text: String,
    /// Which lane has its connection, where it travels by one.
    pub(crate) connection: usize,
    sent: Sent,
    gauges: Vec<(String, f64)>,
}

impl Clients {
    /// The next packet and how it travels. Gauges keep to one transport and, as frames get their
    /// time when they are read, to one connection, so that it is known which value is the last.
    pub(crate) fn packet(&self, random: &mut Random, now_us: u64) -> (Transport, Packet) {
        let transport = match random.below(4) {
            0 => Transport::Udp,
            1 => Transport::Unixgram,
            2 => Transport::Unixstream,
            _ => Transport::Submitted,
        };
        let is_connected = matches!(transport, Transport::Unixstream | Transport::Submitted);
        let mut packet = Packet {
            connection: if is_connected { random.index(LANES) } else { 0 },
            sent: Sent { packets: 1, ..Sent::default() },
            ..Packet::default()
        };
        for _ in 0..=random.below(3) {
            packet.add_line(random, now_us, transport);
        }
        (transport, packet)
    }

    /// A socket took the packet.
    pub(crate) fn note_sent(&mut self, packet: &Packet) {
        let (all, new) = (&mut self.sent, &packet.sent);
        all.packets += new.packets;
        all.lines += new.lines;
        all.refused += new.refused;
        all.samples += new.samples;
        all.timed += new.timed;
        all.ones += new.ones;
        self.last_gauges.extend(packet.gauges.iter().cloned());
    }
}

impl Packet {
    fn add_line(&mut self, random: &mut Random, now_us: u64, transport: Transport) {
        self.sent.lines += 1;
        let which = random.below(6);
        let line = match random.below(12) {
            0..=3 => {
                self.sent.samples += 1;
                self.sent.ones += 1;
                format!("count.{which}:1|c|#a:{which},b:2\n")
            }
            4..=6 => {
                self.sent.samples += 2;
                self.sent.ones += 2;
                format!("sizes.{which}:{}:3|d\n", which + 1)
            }
            7..=9 => {
                let value = random.below(1000);
                let name = format!("level.{transport:?}.{}.{which}", self.connection);
                let number = f64::from(u32::try_from(value).expect("a small number"));
                let line = format!("{name}:{value}|g\n");
                self.gauges.push((name, number));
                self.sent.samples += 1;
                line
            }
            10 => {
                self.sent.timed += 1;
                format!("timed.{which}:5|g|T{}\n", now_us / 1_000_000)
            }
            _ => {
                self.sent.refused += 1;
                "no metric at all\n".to_owned()
            }
        };
        self.text.push_str(&line);
    }
}
