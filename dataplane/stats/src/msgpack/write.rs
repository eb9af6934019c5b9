//! Values in their shortest form.

/// Appends values to bytes.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(crate) const fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// A map of `count` keys and values, which follow.
    pub(crate) fn map(&mut self, count: usize) {
        self.header(0x80, 16, [None, Some(0xde), Some(0xdf)], count);
    }

    /// An array of `count` values, which follow.
    pub(crate) fn array(&mut self, count: usize) {
        self.header(0x90, 16, [None, Some(0xdc), Some(0xdd)], count);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.header(0xa0, 32, [Some(0xd9), Some(0xda), Some(0xdb)], text.len());
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn bin(&mut self, bytes: &[u8]) {
        self.header(0, 0, [Some(0xc4), Some(0xc5), Some(0xc6)], bytes.len());
        self.out.extend_from_slice(bytes);
    }

    pub(crate) fn flag(&mut self, is_set: bool) {
        self.out.push(if is_set { 0xc3 } else { 0xc2 });
    }

    pub(crate) fn uint(&mut self, number: u64) {
        match number {
            0..0x80 => self.out.push(byte(number)),
            0x80..0x100 => self.out.extend_from_slice(&[0xcc, byte(number)]),
            0x100..0x1_0000 => self.big_endian(0xcd, number, 2),
            0x1_0000..0x1_0000_0000 => self.big_endian(0xce, number, 4),
            _ => self.big_endian(0xcf, number, 8),
        }
    }

    /// A length: in the marker when below `fixed_max`, else in 1, 2 or 4 bytes behind the markers
    /// that the kind of value has.
    fn header(&mut self, fixed: u8, fixed_max: usize, markers: [Option<u8>; 3], len: usize) {
        let len = len as u64;
        if len < fixed_max as u64 {
            self.out.push(fixed | byte(len));
            return;
        }
        let [one, two, four] = markers;
        match (one, two, four) {
            (Some(marker), _, _) if len < 0x100 => self.big_endian(marker, len, 1),
            (_, Some(marker), _) if len < 0x1_0000 => self.big_endian(marker, len, 2),
            (_, _, marker) => self.big_endian(marker.unwrap_or_default(), len, 4),
        }
    }

    /// A marker and the low bytes of a number.
    fn big_endian(&mut self, marker: u8, number: u64, bytes: usize) {
        self.out.push(marker);
        let all = number.to_be_bytes();
        self.out.extend_from_slice(all.get(all.len() - bytes..).unwrap_or_default());
    }
}

/// The low byte.
#[expect(clippy::cast_possible_truncation, reason = "the low byte is what is asked for")]
const fn byte(number: u64) -> u8 {
    number as u8
}
