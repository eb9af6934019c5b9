//! The known name a misspelt one most likely stands for.

/// The candidate fewest edits away, if near enough to be meant; the first one wins a tie.
pub(crate) fn nearest<'name>(
    wrong: &str,
    candidates: impl Iterator<Item = &'name str>,
) -> Option<&'name str> {
    // One slip in three characters, but never so many that any short name would do.
    let mut limit = (wrong.chars().count() / 3).min(4);
    let wrong: Vec<char> = wrong.to_lowercase().chars().collect();
    let mut best = None;
    for candidate in candidates {
        let distance = distance(&wrong, &candidate.to_lowercase(), limit);
        if distance <= limit {
            best = Some(candidate);
            match distance.checked_sub(1) {
                Some(smaller) => limit = smaller,
                None => break,
            }
        }
    }
    best
}

/// Edits (insert, delete, replace, swap neighbours) between two texts, or anything above `limit`.
fn distance(a: &[char], b: &str, limit: usize) -> usize {
    if b.len().abs_diff(a.len()) > limit && b.is_ascii() {
        return usize::MAX;
    }
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(i + 1);
        for (j, &to) in b.iter().enumerate() {
            let mut cost = (row[j] + usize::from(from != to)).min(row[j + 1] + 1).min(next[j] + 1);
            let is_swap = i > 0 && j > 0 && from == b[j - 1] && a[i - 1] == to;
            if is_swap {
                cost = cost.min(before[j - 1] + 1);
            }
            next.push(cost);
        }
        if next.iter().min().is_some_and(|least| *least > limit + 1) {
            return usize::MAX;
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &["dogstatsd_port", "dogstatsd_socket", "site", "env", "api_key"];

    #[test]
    fn slips_find_their_key() {
        for (wrong, meant) in [
            ("dogstatsd_prot", Some("dogstatsd_port")),
            ("dogstasd_port", Some("dogstatsd_port")),
            ("Dogstatsd-Socket", Some("dogstatsd_socket")),
            ("apikey", Some("api_key")),
            ("sitte", Some("site")),
            ("xyz", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, NAMES.iter().copied()), meant, "{wrong}");
        }
    }
}
