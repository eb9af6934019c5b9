//! Lists of names found in a statement.

/// Names in the order of their first appearance, joined with commas in one buffer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    text: String,
    /// Where each name ends in `text`.
    ends: Vec<u32>,
}

impl Names {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Adds a name unless it is there. Linear in the list, which is as long as a statement has
    /// distinct names; past [`NAMES_MAX`] names are dropped to keep hostile statements cheap.
    pub(crate) fn insert(&mut self, name: &str) {
        if self.ends.len() >= NAMES_MAX || self.view().iter().any(|known| known == name) {
            return;
        }
        if !self.ends.is_empty() {
            self.text.push(',');
        }
        self.text.push_str(name);
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    pub(crate) fn view(&self) -> List<'_> {
        List { text: &self.text, ends: &self.ends }
    }
}

/// The most names that one list keeps.
const NAMES_MAX: usize = 256;

/// A list of distinct names in the order of their first appearance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct List<'a> {
    pub(crate) text: &'a str,
    pub(crate) ends: &'a [u32],
}

impl<'a> List<'a> {
    /// The names joined with commas; empty if there are none.
    pub fn as_csv(self) -> &'a str {
        self.text
    }

    /// The names.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let name = self.text.get(start..end as usize).unwrap_or_default();
            start = end as usize + 1;
            name
        })
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all names, without what joins them.
    pub(crate) fn name_bytes(self) -> usize {
        (self.text.len() + 1).saturating_sub(self.ends.len().max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_once_in_order() {
        let mut names = Names::default();
        assert_eq!(names.view().name_bytes(), 0);
        for name in ["b", "a,c", "b", ""] {
            names.insert(name);
        }
        assert_eq!(names.view().as_csv(), "b,a,c,");
        assert_eq!(names.view().iter().collect::<Vec<_>>(), ["b", "a,c", ""]);
        assert_eq!(names.view().name_bytes(), 4);
        names.clear();
        assert!(names.view().is_empty());
    }

    #[test]
    fn a_list_is_bounded() {
        let mut names = Names::default();
        for number in 0..1000 {
            names.insert(&number.to_string());
        }
        assert_eq!(names.view().iter().count(), NAMES_MAX);
    }
}
