//! Writes msgpack, in the shortest form or in full width as some encoders do.

/// Bytes that are being written.
#[derive(Clone, Debug, Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    /// Lengths in four bytes and numbers in eight.
    is_wide: bool,
}

impl Writer {
    pub(super) const fn new(is_wide: bool) -> Self {
        Self { bytes: Vec::new(), is_wide }
    }

    pub(super) fn nil(&mut self) {
        self.bytes.push(0xc0);
    }

    pub(super) fn boolean(&mut self, value: bool) {
        self.bytes.push(if value { 0xc3 } else { 0xc2 });
    }

    pub(super) fn unsigned(&mut self, value: u64) {
        match value {
            _ if self.is_wide => self.marked(0xcf, value, 8),
            0..=0x7f => self.marked_short(0, value),
            0x80..=0xff => self.marked(0xcc, value, 1),
            0x100..=0xffff => self.marked(0xcd, value, 2),
            0x1_0000..=0xffff_ffff => self.marked(0xce, value, 4),
            _ => self.marked(0xcf, value, 8),
        }
    }

    /// A number that is written as signed.
    pub(super) fn signed(&mut self, value: i64) {
        match value {
            _ if self.is_wide => self.marked(0xd3, value.cast_unsigned(), 8),
            0.. => self.unsigned(value.cast_unsigned()),
            _ => self.marked(0xd3, value.cast_unsigned(), 8),
        }
    }

    pub(super) fn double(&mut self, value: f64) {
        self.marked(0xcb, value.to_bits(), 8);
    }

    pub(super) fn text(&mut self, text: &str) {
        let length = text.len() as u64;
        match length {
            _ if self.is_wide => self.marked(0xdb, length, 4),
            0..=31 => self.marked_short(0xa0, length),
            32..=0xff => self.marked(0xd9, length, 1),
            0x100..=0xffff => self.marked(0xda, length, 2),
            _ => self.marked(0xdb, length, 4),
        }
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub(super) fn binary(&mut self, bytes: &[u8]) {
        let length = bytes.len() as u64;
        if length <= 0xff {
            self.marked(0xc4, length, 1);
        } else {
            self.marked(0xc6, length, 4);
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn array(&mut self, count: usize) {
        match count as u64 {
            count if self.is_wide => self.marked(0xdd, count, 4),
            count @ 0..=15 => self.marked_short(0x90, count),
            count @ 16..=0xffff => self.marked(0xdc, count, 2),
            count => self.marked(0xdd, count, 4),
        }
    }

    pub(super) fn map(&mut self, count: usize) {
        match count as u64 {
            count if self.is_wide => self.marked(0xdf, count, 4),
            count @ 0..=15 => self.marked_short(0x80, count),
            count @ 16..=0xffff => self.marked(0xde, count, 2),
            count => self.marked(0xdf, count, 4),
        }
    }

    /// A marker and the lowest bytes of a number, the highest of them first.
    fn marked(&mut self, marker: u8, value: u64, width: usize) {
        self.bytes.push(marker);
        self.bytes.extend_from_slice(&value.to_be_bytes()[8 - width..]);
    }

    /// A marker that holds a small number.
    fn marked_short(&mut self, marker: u8, value: u64) {
        self.bytes.push(marker | value.to_le_bytes()[0]);
    }
}

#[cfg(test)]
mod tests {
    use super::Writer;

    fn written(is_wide: bool, write: impl Fn(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::new(is_wide);
        write(&mut writer);
        writer.bytes
    }

    #[test]
    fn values_take_the_shortest_form() {
        assert_eq!(written(false, |out| out.unsigned(0x7f)), [0x7f]);
        assert_eq!(written(false, |out| out.unsigned(0x80)), [0xcc, 0x80]);
        assert_eq!(written(false, |out| out.unsigned(0x100)), [0xcd, 1, 0]);
        assert_eq!(written(false, |out| out.unsigned(0x1_0000)), [0xce, 0, 1, 0, 0]);
        assert_eq!(written(false, |out| out.unsigned(1 << 32)), [0xcf, 0, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(written(false, |out| out.text("ab")), [0xa2, b'a', b'b']);
        assert_eq!(written(false, |out| out.map(16)), [0xde, 0, 16]);
        assert_eq!(written(false, |out| out.array(3)), [0x93]);
        assert_eq!(written(false, |out| out.binary(&[7])), [0xc4, 1, 7]);
    }

    #[test]
    fn the_wide_form_is_one_for_all() {
        assert_eq!(written(true, |out| out.unsigned(1)), [0xcf, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(written(true, |out| out.text("")), [0xdb, 0, 0, 0, 0]);
        assert_eq!(written(true, |out| out.map(1)), [0xdf, 0, 0, 0, 1]);
        assert_eq!(written(true, |out| out.array(1)), [0xdd, 0, 0, 0, 1]);
    }
}
