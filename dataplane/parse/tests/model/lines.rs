//! Lines for the comparison: built from the grammar's pieces, then bent.

use proptest::prelude::*;
use proptest::sample::select;

/// Bytes that mean something somewhere in the grammar.
const MEANINGFUL: &[u8] = b"|:#@T,;cegmsdhpx_{}0123456789+-.eE \r\0\xff\xc3";

/// A metric line as a client writes it, with odd but valid parts.
pub(crate) fn metric() -> impl Strategy<Value = Vec<u8>> {
    let values = prop::collection::vec(number(), 1..4);
    let symbol = prop_oneof![
        9 => select(&["g", "c", "h", "d", "s", "ms"][..]),
        1 => select(&["", "G", "m", "gx", "mss", "msx", " g", "_"][..]),
    ];
    let options = prop::collection::vec(option(), 0..5);
    (name(), values, symbol, options).prop_map(|(name, values, symbol, options)| {
        let mut line = name;
        line.push(b':');
        line.extend(values.join(&b':'));
        line.push(b'|');
        line.extend(symbol.bytes());
        for option in options {
            line.push(b'|');
            line.extend(option);
        }
        line
    })
}

/// A metric line with up to three small damages.
pub(crate) fn mutated_metric() -> impl Strategy<Value = Vec<u8>> {
    mutated(metric())
}

/// A line of any kind with up to three small damages.
pub(crate) fn mutated_message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![mutated_metric(), mutated(service_check()), mutated(event())]
}

/// A number in one of the forms that are read, or almost.
pub(crate) fn number() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => "-?[0-9]{1,3}(\\.[0-9]{1,3})?",
        3 => any::<f64>().prop_map(|value| format!("{value}")),
        3 => any::<f64>().prop_map(|value| format!("{value:e}")),
        2 => "[+-]?[0-9]{0,20}\\.?[0-9]{0,20}([eE][+-]?[0-9]{0,4})?",
        2 => "[+-]?0[xX]_?[0-9a-fA-F_]{0,20}\\.?[0-9a-fA-F_]{0,20}([pP][+-]?[0-9]{1,4})?",
        // Around the ends of the range of doubles, where rounding is least forgiving.
        2 => "-?0x[0-9a-f]{1,18}\\.?[0-9a-f]{0,18}p-10[0-9]{2}",
        1 => "0x[0-9a-f]{1,3}\\.[0-9a-f]{10,18}p10[12][0-9]",
        1 => "[+-]?([iI][nN][fF]([iI][nN][iI][tT][yY])?|[nN][aA][nN])",
        1 => select(&[
            "", "+", "-", ".", "1_000", "0x", "0x10", "0x_", "1e400", "1e-400", "-0", "1e5.5",
            "0x1p99999999999999999999", "0x1p-99999999999999999999", "0x1p1_0", "0b1", "infinit",
            "1e", " 1", "1 ", "1,5",
        ][..]).prop_map(str::to_owned),
    ]
    .prop_map(String::into_bytes)
}

/// An integer, or almost.
pub(crate) fn integer() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<i64>().prop_map(|value| value.to_string()),
        any::<i128>().prop_map(|value| value.to_string()),
        "[+-]?[0-9]{0,22}",
        "[+-]?0{0,30}[0-9_ ]{0,5}",
        "-?92233720368547758[0-9]{2}",
    ]
    .prop_map(String::into_bytes)
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => "[a-z][a-z0-9_.]{0,12}".prop_map(String::into_bytes),
        1 => "\\PC{0,6}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ]
}

fn option() -> impl Strategy<Value = Vec<u8>> {
    let prefixed = |prefix: &'static str, content: BoxedStrategy<Vec<u8>>| {
        content.prop_map(move |content| [prefix.as_bytes(), &content].concat())
    };
    let text = || "[a-z:,= -]{0,12}".prop_map(String::into_bytes).boxed();
    prop_oneof![
        4 => prefixed("#", text()),
        3 => prefixed("@", number().boxed()),
        2 => prefixed("T", "[1-9][0-9]{0,9}".prop_map(String::into_bytes).boxed()),
        1 => prefixed("T", integer().boxed()),
        1 => prefixed("c:", text()),
        1 => prefixed("e:", text()),
        1 => prefixed("card:", text()),
        1 => prefixed("", text()),
    ]
}

fn service_check() -> impl Strategy<Value = Vec<u8>> {
    "_sc\\|[a-z.]{0,6}\\|[0-4]{0,2}(\\|(d:[0-9]{0,3}|h:[a-z]{0,3}|m:[a-z\\\\]{0,5}|#[a-z,]{0,5})){0,4}"
        .prop_map(String::into_bytes)
}

fn event() -> impl Strategy<Value = Vec<u8>> {
    let options = prop::collection::vec(
        select(&["d:21", "d:x", "h:web", "k:key", "p:low", "t:error", "s:src", "#a,b", ""][..]),
        0..4,
    );
    // Lengths that fit, and lengths a little off.
    let wrong_by = prop_oneof![4 => Just(0i64), 1 => -20i64..20, 1 => any::<i64>()];
    ("[a-zé|:\\\\]{0,8}", "[a-z\\\\n|]{0,8}", wrong_by, options).prop_map(
        |(title, text, wrong_by, options)| {
            let title_bytes = i64::try_from(title.len()).map_or(0, |n| n.wrapping_add(wrong_by));
            let mut line = format!("_e{{{title_bytes},{}}}:{title}|{text}", text.len());
            for option in options {
                line.push('|');
                line.push_str(option);
            }
            line.into_bytes()
        },
    )
}

#[derive(Clone, Debug)]
enum Damage {
    Remove,
    Replace(u8),
    Insert(u8),
    CutOff,
    Repeat,
}

fn mutated(line: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let byte = || prop_oneof![4 => select(MEANINGFUL), 1 => any::<u8>()];
    let damage = prop_oneof![
        Just(Damage::Remove),
        byte().prop_map(Damage::Replace),
        byte().prop_map(Damage::Insert),
        Just(Damage::CutOff),
        Just(Damage::Repeat),
    ];
    let damages = prop::collection::vec((any::<prop::sample::Index>(), damage), 0..3);
    (line, damages).prop_map(|(mut line, damages)| {
        for (index, damage) in damages {
            if line.is_empty() {
                break;
            }
            let at = index.index(line.len());
            match damage {
                Damage::Remove => drop(line.remove(at)),
                Damage::Replace(byte) => line[at] = byte,
                Damage::Insert(byte) => line.insert(at, byte),
                Damage::CutOff => line.truncate(at),
                Damage::Repeat => line.extend_from_within(at..),
            }
        }
        line
    })
}
