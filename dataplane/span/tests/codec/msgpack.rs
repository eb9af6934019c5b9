//! A writer of msgpack that may choose any of the forms a value has.

use crate::random::Random;

#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) out: Vec<u8>,
    pub(crate) random: Random,
    /// Whether values take odd forms: wide integers, bin for str, nil for what is empty.
    pub(crate) is_odd: bool,
}

impl Writer {
    pub(crate) const fn new(random: Random, is_odd: bool) -> Self {
        Self { out: Vec::new(), random, is_odd }
    }

    pub(crate) fn is_odd_one_in(&mut self, n: usize) -> bool {
        self.is_odd && self.random.one_in(n)
    }

    pub(crate) fn nil(&mut self) {
        self.out.push(0xc0);
    }

    pub(crate) fn array(&mut self, len: usize) {
        self.length(len, 0x90, 15, [0, 0xdc, 0xdd]);
    }

    pub(crate) fn map(&mut self, len: usize) {
        self.length(len, 0x80, 15, [0, 0xde, 0xdf]);
    }

    pub(crate) fn str(&mut self, text: &str) {
        self.length(text.len(), 0xa0, 31, [0xd9, 0xda, 0xdb]);
        self.out.extend_from_slice(text.as_bytes());
    }

    /// A str, or another form that means the same.
    pub(crate) fn text(&mut self, text: &str) {
        if self.is_odd_one_in(8) {
            self.bin(text.as_bytes());
        } else if text.is_empty() && self.is_odd_one_in(2) {
            self.nil();
        } else {
            self.str(text);
        }
    }

    pub(crate) fn bin(&mut self, bytes: &[u8]) {
        self.length(bytes.len(), 0, 0, [0xc4, 0xc5, 0xc6]);
        self.out.extend_from_slice(bytes);
    }

    pub(crate) fn bool(&mut self, is_true: bool) {
        self.out.push(0xc2 | u8::from(is_true));
    }

    pub(crate) fn double(&mut self, number: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
        if number.fract() == 0.0 && number.abs() < 1e6 && self.is_odd_one_in(2) {
            self.int(number as i64);
            return;
        }
        self.out.push(0xcb);
        self.out.extend_from_slice(&number.to_be_bytes());
    }

    /// An integer of 64 bits that is reinterpreted when it is read.
    pub(crate) fn bits(&mut self, number: u64) {
        if self.is_odd_one_in(4) { self.int(number.cast_signed()) } else { self.uint(number) }
    }

    pub(crate) fn uint(&mut self, number: u64) {
        if number == 0 && self.is_odd_one_in(4) {
            return self.nil();
        }
        self.plain_uint(number);
    }

    pub(crate) fn plain_uint(&mut self, number: u64) {
        let bytes = number.to_be_bytes();
        let width = if self.is_odd_one_in(3) { 8 } else { width(number) };
        match width {
            0 => self.out.push(bytes[7]),
            1 => self.out.extend_from_slice(&[0xcc, bytes[7]]),
            2 => self.tagged(0xcd, &bytes[6..]),
            4 => self.tagged(0xce, &bytes[4..]),
            _ => self.tagged(0xcf, &bytes),
        }
    }

    pub(crate) fn int(&mut self, number: i64) {
        if number >= 0 {
            return self.uint(number.cast_unsigned());
        }
        let bytes = number.to_be_bytes();
        match number {
            -32.. => self.out.push(bytes[7]),
            -128.. => self.tagged(0xd0, &bytes[7..]),
            -32768.. => self.tagged(0xd1, &bytes[6..]),
            -2_147_483_648.. => self.tagged(0xd2, &bytes[4..]),
            _ => self.tagged(0xd3, &bytes),
        }
    }

    /// A value that no reader knows, with strings in it; returns these in their order.
    pub(crate) fn unknown(&mut self, depth: usize) -> Vec<String> {
        let mut strings = Vec::new();
        match self.random.below(if depth == 0 { 6 } else { 8 }) {
            0 => self.nil(),
            1 => self.out.extend_from_slice(&[0xc7, 3, 1, 0xa1, 0xa1, 0xa1]),
            2 => self.out.extend_from_slice(&[0xd6, 1, 2, 3, 4, 5]),
            3 => self.out.extend_from_slice(&[0xca, 0, 0, 0, 0]),
            4 => self.bin(b"\xa3abc"),
            5 => {
                let text = self.random.text();
                self.str(&text);
                strings.push(text);
            }
            6 => {
                let len = self.random.below(20);
                self.array(len);
                (0..len).for_each(|_| strings.extend(self.unknown(depth - 1)));
            }
            _ => {
                let len = self.random.below(20);
                self.map(len);
                (0..2 * len).for_each(|_| strings.extend(self.unknown(depth - 1)));
            }
        }
        strings
    }

    fn length(&mut self, len: usize, fixed: u8, fixed_max: usize, markers: [u8; 3]) {
        let bytes = u32::try_from(len).expect("short lists").to_be_bytes();
        let is_wide = self.is_odd_one_in(8);
        if len <= fixed_max && fixed != 0 && !is_wide {
            self.out.push(fixed | bytes[3]);
        } else if len < 256 && markers[0] != 0 && !is_wide {
            self.out.extend_from_slice(&[markers[0], bytes[3]]);
        } else if len < 65_536 && !is_wide {
            self.tagged(markers[1], &bytes[2..]);
        } else {
            self.tagged(markers[2], &bytes);
        }
    }

    fn tagged(&mut self, marker: u8, bytes: &[u8]) {
        self.out.push(marker);
        self.out.extend_from_slice(bytes);
    }
}

const fn width(number: u64) -> usize {
    match number {
        0..=0x7f => 0,
        0x80..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    }
}
