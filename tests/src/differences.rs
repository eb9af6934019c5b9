//! Shows what differs, all of it at once.

use std::fmt::Debug;

/// Asserts that two values are equal and shows only the lines that differ.
///
/// # Panics
/// When they are not.
pub fn assert_same<T: Debug + PartialEq>(what: &str, arrived: &T, expected: &T) {
    if arrived == expected {
        return;
    }
    let (arrived, expected) = (format!("{arrived:#?}"), format!("{expected:#?}"));
    let missing: Vec<&str> = surplus(&expected, &arrived);
    let extra: Vec<&str> = surplus(&arrived, &expected);
    assert!(
        missing.is_empty() && extra.is_empty() && arrived == expected,
        "{what}\nexpected, did not arrive:\n{}\narrived, not expected:\n{}",
        missing.join("\n"),
        extra.join("\n")
    );
}

/// Lines of `left` that `right` has not.
fn surplus<'a>(left: &'a str, right: &str) -> Vec<&'a str> {
    let known: Vec<&str> = right.lines().collect();
    left.lines().filter(|line| !known.contains(line)).collect()
}
