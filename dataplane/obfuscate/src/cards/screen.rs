//! Which attributes are looked at for card numbers. spec: apm-obfuscation §7.

use super::is_card;

/// Keys whose values look like cards and are none, or that the intake needs; sorted.
const IGNORED_KEYS: [&str; 28] = [
    "_sample_rate",
    "_sampling_priority_v1",
    "account_id",
    "aws_account",
    "env",
    "error",
    "error.msg",
    "error.stack",
    "error.type",
    "graphql.field",
    "graphql.operation.name",
    "graphql.query",
    "graphql.type",
    "grpc.code",
    "grpc.method",
    "grpc.request",
    "http.method",
    "http.status_code",
    "out.host",
    "out.port",
    "runtime-id",
    "sampling.priority",
    "service",
    "service.name",
    "span.name",
    "span.type",
    "sql.query",
    "version",
];

/// The settings of the card test, ready to be asked for every attribute of every span.
#[derive(Clone, Debug, Default)]
pub struct CardScreen {
    luhn: bool,
    /// Keys that settings exempt; sorted.
    kept: Box<[Box<str>]>,
}

impl CardScreen {
    /// A screen that ignores the values of the `kept` keys besides those that are always ignored.
    /// With `luhn`, a number whose check digit does not fit is no card.
    pub fn new<S: AsRef<str>>(luhn: bool, kept: impl IntoIterator<Item = S>) -> Self {
        let mut kept: Vec<Box<str>> = kept.into_iter().map(|key| Box::from(key.as_ref())).collect();
        kept.sort_unstable();
        Self { luhn, kept: kept.into_boxed_slice() }
    }

    /// Whether check digits are verified.
    #[must_use]
    pub const fn is_luhn(&self) -> bool {
        self.luhn
    }

    /// Whether the value of this key has to be replaced by [`super::REPLACEMENT`].
    ///
    /// The value is looked at first: hardly any passes, so that keys are hardly ever compared.
    #[inline]
    #[must_use]
    pub fn is_sensitive(&self, key: &str, value: &str) -> bool {
        is_card(value, self.luhn) && self.is_watched(key)
    }

    /// Whether values of this key are looked at at all.
    #[must_use]
    pub fn is_watched(&self, key: &str) -> bool {
        !key.starts_with('_')
            && IGNORED_KEYS.binary_search(&key).is_err()
            && self.kept.binary_search_by(|kept| (**kept).cmp(key)).is_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "4111 1111 1111 1111";

    #[test]
    fn ignored_keys_are_sorted() {
        assert!(IGNORED_KEYS.is_sorted());
        for key in IGNORED_KEYS {
            assert!(!CardScreen::default().is_sensitive(key, CARD), "{key}");
        }
    }

    #[test]
    fn kept_and_internal_keys_are_ignored() {
        let screen = CardScreen::new(true, ["order", "card"]);
        assert!(screen.is_sensitive("payment", CARD));
        assert!(!screen.is_sensitive("payment", "4111 1111 1111 1112"));
        for key in ["order", "card", "_dd.anything"] {
            assert!(!screen.is_sensitive(key, CARD), "{key}");
        }
    }
}
