//! Where the separators of a line are: bit masks of its first bytes.

use wide::u8x16;

/// Bytes that one [`Marks`] covers.
pub(crate) const BLOCK_BYTES: usize = 64;

/// Bit `i` of a mask stands for byte `i` of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) newlines: u64,
    pub(crate) pipes: u64,
    pub(crate) colons: u64,
}

impl Marks {
    /// Marks of the first 64 bytes of `bytes`, or of all if there are fewer.
    #[inline]
    pub(crate) fn of(bytes: &[u8]) -> Self {
        match bytes.first_chunk() {
            Some(block) => Self::of_block(block),
            None => Self::of_end(bytes),
        }
    }

    /// Marks of the last bytes of a packet.
    #[inline(never)]
    fn of_end(bytes: &[u8]) -> Self {
        // Zeros are no separators.
        let mut block = [0; BLOCK_BYTES];
        for (to, from) in block.iter_mut().zip(bytes) {
            *to = *from;
        }
        Self::of_block(&block)
    }

    #[inline]
    fn of_block(block: &[u8; BLOCK_BYTES]) -> Self {
        let mut marks = Self::default();
        let (vectors, _) = block.as_chunks();
        for (index, vector) in vectors.iter().enumerate() {
            let vector = u8x16::new(*vector);
            let places =
                |byte| u64::from(vector.simd_eq(u8x16::splat(byte)).to_bitmask()) << (16 * index);
            marks.newlines |= places(b'\n');
            marks.pipes |= places(b'|');
            marks.colons |= places(b':');
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slow(bytes: &[u8], byte: u8) -> u64 {
        (0..64).filter(|&i| bytes.get(i) == Some(&byte)).map(|i| 1 << i).sum()
    }

    proptest! {
        #[test]
        fn marks_are_where_the_separators_are(
            bytes in prop::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'|'), Just(b':'), any::<u8>()],
                0..100,
            ),
        ) {
            let marks = Marks::of(&bytes);
            prop_assert_eq!(marks.newlines, slow(&bytes, b'\n'));
            prop_assert_eq!(marks.pipes, slow(&bytes, b'|'));
            prop_assert_eq!(marks.colons, slow(&bytes, b':'));
        }
    }
}
