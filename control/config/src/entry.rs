//! What the table says about one key, and the typed handles by which values are read.

use crate::value::Value;

/// Shape of a key's value, which decides how file and environment text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`, in any of the usual spellings.
    Bool,
    /// A whole number.
    Int,
    /// A decimal number.
    Float,
    /// Text, or one of the choices of its row.
    Str,
    /// A span of time: `1h30m`, `100ms`; a bare number counts nanoseconds.
    Duration,
    /// A size: a number of bytes, or `10Mb` (multiples of 1024).
    Bytes,
    /// A list of texts; as one text, split on blanks, or a JSON list.
    List,
    /// A list of texts; as one text, split on blanks and commas.
    CommaList,
    /// A list of texts; as one text, a row of comma-separated values with quotes where needed.
    Csv,
    /// A list of tags; as one text, split on blanks and commas.
    Tags,
    /// A map; as one text, a JSON object.
    Map,
    /// A map of numbers from 0 to 1; as one text, `name=rate` with commas between.
    Rates,
    /// A list of structured items; as one text, a JSON list.
    Json,
}

impl Kind {
    /// The word used for this kind in explanations and the reference.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Str => "string",
            Self::Duration => "duration",
            Self::Bytes => "size",
            Self::List => "list",
            Self::CommaList => "comma list",
            Self::Csv => "comma-separated values",
            Self::Tags => "tags",
            Self::Map => "map",
            Self::Rates => "map of rates",
            Self::Json => "json list",
        }
    }
}

/// When a changed value acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// At the next reload (SIGHUP), without a restart.
    Live,
    /// At the next start only.
    Restart,
}

impl Reload {
    /// `live` or `restart`.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Restart => "restart",
        }
    }
}

/// Bounds of a number; a value outside is moved to the nearer bound and reported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Limits {
    None,
    Int { min: i64, max: i64 },
    Float { min: f64, max: f64 },
}

/// Refuses a value that has the right type but makes no sense, saying what was expected.
pub(crate) type Check = fn(&Value) -> Result<(), String>;

/// One row of the table: everything known about a key that corelane uses.
#[derive(Debug)]
pub struct Entry {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) default: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) env: &'static [&'static str],
    pub(crate) aliases: &'static [&'static str],
    pub(crate) limits: Limits,
    pub(crate) choices: &'static [&'static str],
    pub(crate) unit: &'static str,
    pub(crate) reload: Reload,
    pub(crate) since: &'static str,
    pub(crate) is_secret: bool,
    pub(crate) check: Option<Check>,
}

impl Entry {
    pub(crate) const fn new(
        name: &'static str,
        kind: Kind,
        default: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            default,
            meaning,
            env: &[],
            aliases: &[],
            limits: Limits::None,
            choices: &[],
            unit: "",
            reload: Reload::Restart,
            since: "0.1",
            is_secret: false,
            check: None,
        }
    }

    /// Environment variables that replace the one given by the naming rule, most wanted first.
    pub(crate) const fn env(mut self, names: &'static [&'static str]) -> Self {
        self.env = names;
        self
    }

    /// Other names of the same setting, read when the main name is absent from a layer.
    pub(crate) const fn aliases(mut self, names: &'static [&'static str]) -> Self {
        self.aliases = names;
        self
    }

    pub(crate) const fn range(mut self, min: i64, max: i64) -> Self {
        self.limits = Limits::Int { min, max };
        self
    }

    pub(crate) const fn min(self, min: i64) -> Self {
        self.range(min, i64::MAX)
    }

    pub(crate) const fn between(mut self, min: f64, max: f64) -> Self {
        self.limits = Limits::Float { min, max };
        self
    }

    pub(crate) const fn one_of(mut self, choices: &'static [&'static str]) -> Self {
        self.choices = choices;
        self
    }

    pub(crate) const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    pub(crate) const fn live(mut self) -> Self {
        self.reload = Reload::Live;
        self
    }

    pub(crate) const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    pub(crate) const fn check(mut self, check: Check) -> Self {
        self.check = Some(check);
        self
    }

    /// Dotted path, as written in the file and on the command line.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Shape of the value.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The default, in the form an environment variable would give it.
    #[must_use]
    pub fn default_text(&self) -> &'static str {
        self.default
    }

    /// One sentence on what the key does, with its edge values.
    #[must_use]
    pub fn meaning(&self) -> &'static str {
        self.meaning
    }

    /// When a changed value acts.
    #[must_use]
    pub fn reload(&self) -> Reload {
        self.reload
    }

    /// Whether the value, or every text inside it, is hidden wherever it is shown.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.is_secret
    }

    /// The version that first read this key.
    #[must_use]
    pub fn since(&self) -> &'static str {
        self.since
    }

    /// Environment variables that set this key, most wanted first.
    /// Without exceptions in the table: `DD_` and the upper-cased path, dots as underscores.
    #[must_use]
    pub fn env_names(&self) -> Vec<String> {
        let mut names: Vec<String> = if self.env.is_empty() {
            vec![env_name(self.name)]
        } else {
            self.env.iter().map(|name| (*name).to_owned()).collect()
        };
        names.extend(self.aliases.iter().map(|alias| env_name(alias)));
        names
    }

    /// What a value may be, for messages and the reference: kind, unit, bounds or choices.
    #[must_use]
    pub fn expected(&self) -> String {
        let mut text = self.kind.noun().to_owned();
        if !self.choices.is_empty() {
            text = format!("one of {}", self.choices.join(", "));
        }
        if !self.unit.is_empty() {
            text.push_str(&format!(" ({})", self.unit));
        }
        match self.limits {
            Limits::None => {}
            Limits::Int { min, max: i64::MAX } => text.push_str(&format!(", at least {min}")),
            Limits::Int { min, max } => text.push_str(&format!(", {min} to {max}")),
            Limits::Float { min, max } => text.push_str(&format!(", {min} to {max}")),
        }
        text
    }
}

/// The environment variable of a dotted path by the general rule.
pub(crate) fn env_name(path: &str) -> String {
    format!("DD_{}", path.to_ascii_uppercase().replace('.', "_"))
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident = $kind:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name(pub(crate) &'static Entry);

        impl $name {
            pub(crate) const KIND: Kind = Kind::$kind;

            /// The table row of this key.
            #[must_use]
            pub const fn entry(self) -> &'static Entry {
                self.0
            }
        }

        impl From<$name> for &'static Entry {
            fn from(key: $name) -> &'static Entry {
                key.0
            }
        }
    )+};
}

// Only the table makes handles, so that reading a key that is not in the table, or as another
// type than the table says, does not compile.
handles! {
    /// A key read with [`crate::Config::bool`].
    BoolKey = Bool;
    /// A key read with [`crate::Config::int`] and its shortcuts.
    IntKey = Int;
    /// A key read with [`crate::Config::float`].
    FloatKey = Float;
    /// A key read with [`crate::Config::str`].
    StrKey = Str;
    /// A key read with [`crate::Config::duration`].
    DurationKey = Duration;
    /// A key read with [`crate::Config::bytes`].
    BytesKey = Bytes;
    /// A key read with [`crate::Config::list`].
    ListKey = List;
    /// A key read with [`crate::Config::list`], whose text form also splits on commas.
    CommaListKey = CommaList;
    /// A key read with [`crate::Config::csv`].
    CsvKey = Csv;
    /// A key read with [`crate::Config::tags`].
    TagsKey = Tags;
    /// A key read with [`crate::Config::map`].
    MapKey = Map;
    /// A key read with [`crate::Config::rates`].
    RatesKey = Rates;
    /// A key read with [`crate::Config::json`].
    JsonKey = Json;
}
