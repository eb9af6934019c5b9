//! The parser against a slow model, on lines that are nearly right, and on bytes that are not.
//!
//! Both must accept the same lines with the same record and refuse the others for the same reason,
//! in every configuration.

mod lines;
mod slow;

use corelane_parse::{
    Line, Lines, Message, Metric, Options, Refused, Values, check_packet, parse_float, parse_int,
    parse_metric,
};
use proptest::prelude::*;
use slow::{SlowMetric, SlowParser};

/// A number that is in the buffer before a line is parsed and must stay there.
const EARLIER: f64 = 4711.0;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn agrees_with_the_model_on_nearly_valid_lines(line in lines::mutated_metric()) {
        assert_agreement(&line)?;
    }

    #[test]
    fn agrees_with_the_model_on_valid_lines(line in lines::metric()) {
        assert_agreement(&line)?;
    }

    #[test]
    fn agrees_with_the_model_on_floats(text in lines::number()) {
        let slow = slow_parser(|parser| parser.float(&text));
        prop_assert!(
            is_same(parse_float(&text), slow),
            "{:?}: {:?}, model {:?}", text.escape_ascii().to_string(), parse_float(&text), slow
        );
    }

    #[test]
    fn agrees_with_the_model_on_integers(text in lines::integer()) {
        let slow = slow_parser(|parser| parser.integer(&text));
        prop_assert_eq!(parse_int(&text), slow, "{}", text.escape_ascii());
    }

    #[test]
    fn never_panics_on_packets_of_nearly_valid_lines(
        packet in prop::collection::vec(lines::mutated_message(), 0..8),
    ) {
        check_packet(&packet.join(&b'\n'));
    }

    #[test]
    fn never_panics_on_any_bytes(packet in prop::collection::vec(any::<u8>(), 0..300)) {
        check_packet(&packet);
        let _outcome = assert_agreement(&packet);
    }
}

/// The generator must not be so wild that one side of the comparison goes untested.
#[test]
fn mutated_lines_are_both_accepted_and_refused() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    const LINE_COUNT: usize = 2000;
    let mut runner = TestRunner::deterministic();
    let mut accepted_count = 0;
    let mut refusals = Vec::new();
    for _ in 0..LINE_COUNT {
        let line = lines::mutated_metric().new_tree(&mut runner).expect("no filter").current();
        match slow_parser(|parser| parser.metric(&line, OPTIONS[0])) {
            Ok(_) => accepted_count += 1,
            Err(refused) if refusals.contains(&refused) => {}
            Err(refused) => refusals.push(refused),
        }
    }
    assert!((LINE_COUNT / 5..LINE_COUNT * 4 / 5).contains(&accepted_count), "{accepted_count}");
    assert_eq!(refusals.len(), 6, "every reason of a metric line occurs: {refusals:?}");
}

const OPTIONS: [Options; 4] = [
    Options { has_timestamps: true, has_client_origin: true },
    Options { has_timestamps: true, has_client_origin: false },
    Options { has_timestamps: false, has_client_origin: true },
    Options { has_timestamps: false, has_client_origin: false },
];

fn assert_agreement(line: &[u8]) -> Result<(), TestCaseError> {
    for options in OPTIONS {
        let mut values = vec![EARLIER];
        let fast = parse_metric(&Line::new(line), options, &mut values);
        let slow = slow_parser(|parser| parser.metric(line, options));
        let (earlier, values) = values.split_first().expect("nothing is taken out");
        prop_assert_eq!(earlier.to_bits(), EARLIER.to_bits());
        let shown = line.escape_ascii();
        match (fast, slow) {
            (Ok(fast), Ok(slow)) => assert_same_metric(&fast, values, &slow)?,
            (Err(fast), Err(slow)) => {
                prop_assert_eq!(fast, slow, "{}", shown);
                prop_assert!(values.is_empty(), "{shown}: a refused line leaves no values");
            }
            (fast, slow) => prop_assert!(false, "{shown}: {fast:?}, model {slow:?}"),
        }
        assert_dispatch(line, options)?;
        assert_independence(line, options)?;
    }
    Ok(())
}

/// What follows a line in its packet is never read as part of it.
fn assert_independence(line: &[u8], options: Options) -> Result<(), TestCaseError> {
    if line.is_empty() || line.contains(&b'\n') || line.ends_with(b"\r") {
        return Ok(());
    }
    let packet = [line, b"\n12345678:90|c|@0.5|#tag:value|c:container|T1657100430"].concat();
    let first = Lines::new(&packet, false).next().expect("a line that is not empty");
    let (mut values, mut first_values) = (Vec::new(), Vec::new());
    let alone = format!("{:?}", parse_metric(&Line::new(line), options, &mut values));
    let before = format!("{:?}", parse_metric(&first, options, &mut first_values));
    prop_assert_eq!(alone, before);
    prop_assert_eq!(format!("{values:?}"), format!("{first_values:?}"));
    Ok(())
}

/// What is neither an event nor a service check by its prefix is judged as a metric.
fn assert_dispatch(line: &[u8], options: Options) -> Result<(), TestCaseError> {
    let (mut values, mut metric_values) = (Vec::new(), Vec::new());
    let message = Message::parse(&Line::new(line), options, &mut values);
    if line.starts_with(b"_e{") {
        prop_assert!(matches!(message, Ok(Message::Event(_)) | Err(Refused::Event)));
    } else if line.starts_with(b"_sc") {
        prop_assert!(matches!(message, Ok(Message::ServiceCheck(_)) | Err(Refused::Check)));
    } else {
        let metric = parse_metric(&Line::new(line), options, &mut metric_values);
        let got = format!("{message:?} {values:?}");
        prop_assert_eq!(got, format!("{:?} {metric_values:?}", metric.map(Message::Metric)));
    }
    Ok(())
}

fn assert_same_metric(
    fast: &Metric<'_>,
    values: &[f64],
    slow: &SlowMetric,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(fast.name, &slow.name);
    prop_assert_eq!(fast.kind, slow.kind);
    prop_assert!(is_same(Some(fast.rate), Some(slow.rate)), "{} {}", fast.rate, slow.rate);
    prop_assert_eq!(fast.timestamp_secs, slow.timestamp_secs);
    let mut values = values;
    let number;
    match fast.values {
        Values::Number(value) => {
            prop_assert!(values.is_empty(), "only packed values go to the buffer");
            number = [value];
            values = &number;
        }
        Values::Numbers { count } => {
            prop_assert_eq!(count as usize, values.len());
            prop_assert_eq!(&slow.member, &None);
        }
        Values::Member(member) => prop_assert_eq!(Some(member), slow.member.as_deref()),
    }
    prop_assert_eq!(values.len(), slow.values.len());
    for (&fast, &slow) in values.iter().zip(&slow.values) {
        prop_assert!(is_same(Some(fast), Some(slow)), "{} {}", fast, slow);
    }
    prop_assert_eq!(fast.fields.tags, &slow.tags);
    let client = fast.fields.client.unwrap_or_default();
    prop_assert_eq!(client.local_data, &slow.local_data);
    prop_assert_eq!(client.external_data, &slow.external_data);
    prop_assert_eq!(client.cardinality, &slow.cardinality);
    Ok(())
}

/// Bit for bit, except that one `NaN` is as good as another.
fn is_same(fast: Option<f64>, slow: Option<f64>) -> bool {
    match (fast, slow) {
        (Some(fast), Some(slow)) => {
            fast.to_bits() == slow.to_bits() || (fast.is_nan() && slow.is_nan())
        }
        (fast, slow) => fast.is_none() && slow.is_none(),
    }
}

fn slow_parser<T>(run: impl FnOnce(&SlowParser) -> T) -> T {
    thread_local! {
        static PARSER: SlowParser = SlowParser::new();
    }
    PARSER.with(run)
}
