//! Which arguments of a command are values. spec: apm-obfuscation §4, table.

/// Which arguments hide behind `?`. Indices are those of the arguments, from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// None.
    Nothing,
    /// All of them, behind a single `?`.
    Everything,
    /// That one.
    One(usize),
    /// That one and all later ones, behind a single `?`.
    From(usize),
    /// The first one named, and every so many after it.
    Every { first: usize, step: usize },
    /// `CONFIG`: the value of `SET`.
    Config,
    /// `BITFIELD`: the value of its first complete `SET`, at that index once a `SET` is seen.
    BitField { value: usize },
    /// `ZADD`: members, which follow the key, flags and a score each.
    SortedSet,
}

/// How far after `SET` its value stands: `SET type offset value`.
const BIT_FIELD_VALUE: usize = 3;
/// Longest name in the table.
const COMMAND_BYTES_MAX: usize = "GEORADIUSBYMEMBER".len();

impl Rule {
    /// The rule of a command, in any case.
    pub(super) fn of(command: &str) -> Self {
        let mut upper = [0; COMMAND_BYTES_MAX];
        let Some(upper) = upper.get_mut(..command.len()) else { return Self::Nothing };
        upper.copy_from_slice(command.as_bytes());
        upper.make_ascii_uppercase();
        match &*upper {
            b"AUTH" => Self::Everything,
            b"APPEND" | b"GETSET" | b"LPUSHX" | b"GEORADIUSBYMEMBER" | b"RPUSHX" | b"SET"
            | b"SETNX" | b"SISMEMBER" | b"ZRANK" | b"ZREVRANK" | b"ZSCORE" => Self::One(1),
            b"HSETNX" | b"LREM" | b"LSET" | b"SETBIT" | b"SETEX" | b"PSETEX" | b"SETRANGE"
            | b"ZINCRBY" | b"SMOVE" | b"RESTORE" => Self::One(2),
            b"LINSERT" => Self::One(3),
            b"GEOHASH" | b"GEOPOS" | b"GEODIST" | b"LPUSH" | b"RPUSH" | b"SREM" | b"ZREM"
            | b"SADD" => Self::From(1),
            b"GEOADD" => Self::Every { first: 3, step: 3 },
            b"HSET" | b"HMSET" => Self::Every { first: 2, step: 2 },
            b"MSET" | b"MSETNX" => Self::Every { first: 1, step: 2 },
            b"CONFIG" => Self::Config,
            b"BITFIELD" => Self::BitField { value: usize::MAX },
            b"ZADD" => Self::SortedSet,
            _ => Self::Nothing,
        }
    }
}

/// What becomes of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is shown.
    Shown,
    /// `?` stands for it.
    Hidden,
    /// It is left out, since an earlier `?` stands for it too.
    Dropped,
}

/// A rule on its way through the arguments of one command.
pub(super) struct Judge {
    rule: Rule,
    index: usize,
}

impl Judge {
    pub(super) fn new(command: &str) -> Self {
        Self { rule: Rule::of(command), index: 0 }
    }

    /// Judges the next argument.
    pub(super) fn judge(&mut self, argument: &str) -> Fate {
        let index = self.index;
        self.index += 1;
        let is_hidden = match self.rule {
            Rule::Nothing => false,
            Rule::Everything if index > 0 => return Fate::Dropped,
            Rule::From(first) if index > first => return Fate::Dropped,
            Rule::Everything => true,
            Rule::One(hidden) | Rule::From(hidden) => index == hidden,
            Rule::Every { first, step } => index >= first && (index - first).is_multiple_of(step),
            Rule::Config => {
                let is_set = argument.eq_ignore_ascii_case("SET");
                self.rule = if is_set { Rule::One(2) } else { Rule::Nothing };
                false
            }
            Rule::BitField { value } => {
                let is_set = index > 0 && argument.eq_ignore_ascii_case("SET");
                if is_set {
                    self.rule = Rule::BitField { value: index + BIT_FIELD_VALUE };
                } else if index == value {
                    self.rule = Rule::Nothing;
                }
                !is_set && index == value
            }
            Rule::SortedSet => {
                let is_flag = index == 0 || matches!(argument, "NX" | "XX" | "CH" | "INCR");
                if !is_flag {
                    self.rule = Rule::Every { first: index + 1, step: 2 };
                }
                false
            }
        };
        if is_hidden { Fate::Hidden } else { Fate::Shown }
    }
}
