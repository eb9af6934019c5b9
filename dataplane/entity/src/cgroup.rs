//! Container ids in cgroup paths. spec: dogstatsd §7.2, host §13.2.

/// Bytes of a `/proc/<pid>/cgroup` file that are looked at. Real ones have a few hundred.
pub const CGROUP_BYTES_MAX: usize = 64 * 1024;

/// The v1 hierarchy whose path names the container.
const BASE_CONTROLLER: &[u8] = b"memory";

/// Id of the container that the process with this `/proc/<pid>/cgroup` runs in.
///
/// The v1 hierarchy of the memory controller comes first, then the v2 line. Looks at no more than
/// [`CGROUP_BYTES_MAX`] bytes; anything malformed is skipped.
#[must_use]
pub fn container_of_cgroup(text: &[u8]) -> Option<&str> {
    let text = text.get(..CGROUP_BYTES_MAX).unwrap_or(text);
    let mut unified = None;
    for line in text.split(|&byte| byte == b'\n') {
        // `id:controllers:path`; the path itself may hold colons.
        let mut parts = line.splitn(3, |&byte| byte == b':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let is_base = controllers.split(|&byte| byte == b',').any(|name| name == BASE_CONTROLLER);
        if !is_base && !controllers.is_empty() {
            continue;
        }
        let id = path.rsplit(|&byte| byte == b'/').next().and_then(container_id);
        if is_base && id.is_some() {
            return id;
        }
        unified = unified.or(id);
    }
    unified
}

/// The container id in the name of a cgroup directory: the last match of
///
/// ```text
/// ([0-9a-f]{64})|([0-9a-f]{32}-\d+)|([0-9a-f]{8}(-[0-9a-f]{4}){4}$)
/// ```
///
/// that is a docker, containerd or cri-o id, an ECS or Fargate task, a Garden container. Names of
/// mounts and of the cri-o monitor are not containers, nor is a name no file system could hold.
#[must_use]
pub fn container_id(name: &[u8]) -> Option<&str> {
    if name.len() > NAME_BYTES_MAX || name.ends_with(b".mount") || name.starts_with(b"crio-conmon-")
    {
        return None;
    }
    let mut rest = name;
    let mut last: Option<&[u8]> = None;
    while !rest.is_empty() {
        let run = hex_run(rest);
        if let Some(len) = match_len(rest, run) {
            let (found, after) = rest.split_at(len);
            last = Some(found);
            rest = after;
        } else {
            // Inside a run of hex digits only a later start of the same run can match.
            let skip = if run < SHORTEST_RUN { run + 1 } else { 1 };
            rest = rest.get(skip..).unwrap_or_default();
        }
    }
    std::str::from_utf8(last?).ok()
}

/// Longest file name on Linux; bounds the work for one name.
const NAME_BYTES_MAX: usize = 255;

/// Fewest hex digits that a match starts with.
const SHORTEST_RUN: usize = 8;

/// Length of the match at the start of `text`, which starts with `run` hex digits (capped at 64).
fn match_len(text: &[u8], run: usize) -> Option<usize> {
    match run {
        64.. => return Some(64),
        32.. => {
            let digits = text.get(32..)?.strip_prefix(b"-").map_or(0, digit_run);
            if digits > 0 {
                return Some(33 + digits);
            }
        }
        SHORTEST_RUN.. => {}
        _ => return None,
    }
    is_garden(text).then_some(text.len())
}

/// Whether `text` is exactly eight hex digits and four groups of four.
fn is_garden(text: &[u8]) -> bool {
    text.len() == 28
        && text.iter().enumerate().all(|(index, &byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => is_hex(byte),
        })
}

fn hex_run(text: &[u8]) -> usize {
    text.iter().take(64).take_while(|&&byte| is_hex(byte)).count()
}

fn digit_run(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

const fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01";

    /// The rule as the specification writes it.
    fn model(name: &[u8]) -> Option<Vec<u8>> {
        static RULE: std::sync::LazyLock<regex::bytes::Regex> = std::sync::LazyLock::new(|| {
            regex::bytes::Regex::new(
                r"(?-u)([0-9a-f]{64})|([0-9a-f]{32}-[0-9]+)|([0-9a-f]{8}(-[0-9a-f]{4}){4}$)",
            )
            .expect("the rule is a valid pattern")
        });
        if name.ends_with(b".mount") || name.starts_with(b"crio-conmon-") {
            return None;
        }
        RULE.find_iter(name).last().map(|found| found.as_bytes().to_vec())
    }

    #[test]
    fn directory_names_of_the_vectors() {
        let text = include_str!("../../../tests/vectors/host_cgroup.jsonl");
        let mut checked = 0;
        for line in text.lines() {
            let vector: serde_json::Value = serde_json::from_str(line).expect("json");
            if vector["fn"] != "cgroup.container_id_of_dir_name" {
                continue;
            }
            let name = vector["in"].as_str().expect("name");
            assert_eq!(container_id(name.as_bytes()), vector["out"].as_str(), "{name}");
            checked += 1;
        }
        assert_eq!(checked, 10);
    }

    #[test]
    fn v1_takes_the_memory_hierarchy() {
        let text = format!(
            "12:cpu,cpuacct:/docker/{}\n9:memory:/docker/{ID}\n0::/system.slice\n",
            ID.replace('a', "b")
        );
        assert_eq!(container_of_cgroup(text.as_bytes()), Some(ID));
    }

    #[test]
    fn v2_takes_the_unified_line() {
        let text = format!("0::/kubepods.slice/x/cri-containerd-{ID}.scope\n");
        assert_eq!(container_of_cgroup(text.as_bytes()), Some(ID));
        let namespaced = format!("0::/../{ID}");
        assert_eq!(container_of_cgroup(namespaced.as_bytes()), Some(ID));
    }

    #[test]
    fn processes_outside_containers_have_no_id() {
        for text in ["", "0::/\n", "0::/user.slice/user-0.slice\n", "x\n:\n::\n", "9:pids:/a\n"] {
            assert_eq!(container_of_cgroup(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn only_the_last_path_element_counts() {
        let text = format!("0::/docker/{ID}/init.scope\n");
        assert_eq!(container_of_cgroup(text.as_bytes()), None);
    }

    #[test]
    fn text_beyond_the_bound_is_not_looked_at() {
        let mut text = vec![b'x'; CGROUP_BYTES_MAX];
        text.extend_from_slice(format!("\n0::/{ID}\n").as_bytes());
        assert_eq!(container_of_cgroup(&text), None);
    }

    proptest! {
        #[test]
        fn any_text_is_accepted(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(container_of_cgroup(&text).is_none_or(|id| id.len() >= 28));
        }

        #[test]
        fn the_matcher_agrees_with_the_pattern(
            parts in proptest::collection::vec(
                prop_oneof![
                    "[0-9a-f]{1,70}", "[0-9a-f]{32}-[0-9]{0,3}", "[0-9a-f]{64}",
                    "[0-9a-f]{8}(-[0-9a-f]{4}){4}", "[-.a-z]{0,4}", "-[0-9a-f]{4}",
                    Just(".mount".to_owned()), Just("\n".to_owned()),
                ],
                0..4,
            ),
        ) {
            let name = parts.concat();
            prop_assert_eq!(
                container_id(name.as_bytes()).map(|id| id.as_bytes().to_vec()),
                model(name.as_bytes())
            );
        }
    }
}
