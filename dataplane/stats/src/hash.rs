//! Hashes of tag lists. spec: apm §9.3.

const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// Hash of a list of tags whatever their order is: FNV-1a over the sorted tags with one zero byte
/// between them; 0 for an empty list.
#[must_use]
pub fn tag_list_hash(tags: &[&str]) -> u64 {
    if tags.is_empty() {
        return 0;
    }
    let mut sorted = tags.to_vec();
    sorted.sort_unstable();
    let mut hash = FNV_BASIS;
    for (at, tag) in sorted.iter().enumerate() {
        if at > 0 {
            hash = step(hash, 0);
        }
        hash = tag.bytes().fold(hash, step);
    }
    hash
}

/// Hash of process tags, a list joined by commas; 0 for none.
#[must_use]
pub fn process_tags_hash(process_tags: &str) -> u64 {
    if process_tags.is_empty() {
        return 0;
    }
    tag_list_hash(&process_tags.split(',').collect::<Vec<_>>())
}

fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_the_spec() {
        assert_eq!(tag_list_hash(&[]), 0);
        assert_eq!(tag_list_hash(&["peer.service:db"]), 3_078_382_525_175_229_960);
        assert_eq!(tag_list_hash(&["b:2", "a:1"]), 12_271_806_850_372_623_939);
        assert_eq!(process_tags_hash("b:2,a:1"), 12_271_806_850_372_623_939);
        assert_eq!(process_tags_hash(""), 0);
    }
}
