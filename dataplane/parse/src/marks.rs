//! Where the separators of a line are: bit masks of its first bytes.

use wide::u8x16;

/// Bytes that one mask covers.
pub(crate) const BLOCK_BYTES: usize = 64;

/// For each of `bytes` a mask whose bit `i` says that byte `i` of `text` is equal to it. Only the
/// first 64 bytes of `text` are looked at.
#[inline]
pub(crate) fn marks<const N: usize>(text: &[u8], bytes: [u8; N]) -> [u64; N] {
    match text.first_chunk() {
        Some(block) => marks_of_block(block, bytes),
        None => marks_of_end(text, bytes),
    }
}

/// Marks of the last bytes of a packet.
#[cold]
#[inline(never)]
fn marks_of_end<const N: usize>(text: &[u8], bytes: [u8; N]) -> [u64; N] {
    // Zeros are no separators.
    let mut block = [0; BLOCK_BYTES];
    for (to, from) in block.iter_mut().zip(text) {
        *to = *from;
    }
    marks_of_block(&block, bytes)
}

#[inline(always)]
fn marks_of_block<const N: usize>(block: &[u8; BLOCK_BYTES], bytes: [u8; N]) -> [u64; N] {
    let (vectors, _) = block.as_chunks();
    let mut masks = [0; N];
    for (index, vector) in vectors.iter().enumerate() {
        let vector = u8x16::new(*vector);
        for (mask, byte) in masks.iter_mut().zip(bytes) {
            let equal = vector.simd_eq(u8x16::splat(byte)).to_bitmask();
            *mask |= u64::from(equal) << (16 * index);
        }
    }
    masks
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
            let [newlines, pipes] = marks(&bytes, [b'\n', b'|']);
            prop_assert_eq!(newlines, slow(&bytes, b'\n'));
            prop_assert_eq!(pipes, slow(&bytes, b'|'));
            prop_assert_eq!(marks(&bytes, [b':']), [slow(&bytes, b':')]);
        }
    }
}
