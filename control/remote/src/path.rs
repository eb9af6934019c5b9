//! Names of configurations. spec: remote-config §5.1, §5.7

use crate::refused::{Cause, Refused, Result};

/// The parts of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigPath<'p> {
    /// The organisation; `None` for what is the same everywhere.
    pub org: Option<i64>,
    /// The product that reads it.
    pub product: &'p str,
    /// Id of the configuration.
    pub id: &'p str,
    /// Name of the file.
    pub name: &'p str,
}

impl<'p> ConfigPath<'p> {
    /// Takes a path apart.
    ///
    /// # Errors
    /// [`Refused`] for a path outside the grammar.
    pub fn parse(path: &'p str) -> Result<Self> {
        let bad = || Refused::new(Cause::Path, format!("{path:?} is no path of a configuration"));
        let parts: Vec<&str> = path.split('/').collect();
        let (org, rest) = match *parts.as_slice() {
            ["datadog", org, ref rest @ ..] => {
                let is_number = !org.is_empty() && org.bytes().all(|byte| byte.is_ascii_digit());
                let org = is_number.then(|| org.parse().ok()).flatten().ok_or_else(bad)?;
                (Some(org), rest)
            }
            ["employee", ref rest @ ..] => (None, rest),
            _ => return Err(bad()),
        };
        match *rest {
            [product, id, name] if ![product, id, name].contains(&"") => {
                Ok(Self { org, product, id, name })
            }
            _ => Err(bad()),
        }
    }
}

/// The path of a file as it was delivered: `<dir>/<sha256>.<name>` stands for `<dir>/<name>`.
pub(crate) fn without_hash(path: &str) -> String {
    let (directory, name) = match path.rsplit_once('/') {
        Some((directory, name)) => (Some(directory), name),
        None => (None, path),
    };
    let name = name.split_once('.').map_or(name, |(_, name)| name);
    directory.map_or_else(|| name.to_owned(), |directory| format!("{directory}/{name}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn grammar_of_the_spec() {
        let path = ConfigPath::parse("datadog/2/APM_SAMPLING/dynamic_rates/config").unwrap();
        let parts = (path.org, path.product, path.id, path.name);
        assert_eq!(parts, (Some(2), "APM_SAMPLING", "dynamic_rates", "config"));
        let path = ConfigPath::parse("employee/CWS_DD/1.default/config").unwrap();
        assert_eq!((path.org, path.product, path.id), (None, "CWS_DD", "1.default"));
        for bad in [
            "datadog/2/ASM/x",
            "datadog/x/ASM/a/b",
            "datadog/2/ASM/a/b/c",
            "other/2/ASM/a/b",
            "datadog/99999999999999999999/ASM/a/b",
            "datadog/+2/ASM/a/b",
            "datadog/2/ASM//b",
            "",
        ] {
            assert_eq!(ConfigPath::parse(bad).unwrap_err().cause, Cause::Path, "{bad}");
        }
    }

    #[test]
    fn hashes_in_front_of_names_go() {
        assert_eq!(without_hash("2/APM_SAMPLING/4795.1"), "2/APM_SAMPLING/1");
        assert_eq!(without_hash("2/APM_SAMPLING/target2"), "2/APM_SAMPLING/target2");
        assert_eq!(without_hash("a.b/c/h.x.y"), "a.b/c/x.y");
        assert_eq!(without_hash("h.x"), "x");
    }

    proptest! {
        #[test]
        fn any_text(text in ".{0,60}") {
            let _is_path = ConfigPath::parse(&text).is_ok();
            without_hash(&text);
        }
    }
}
