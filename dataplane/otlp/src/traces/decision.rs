//! Which traces are kept. spec: otlp §4.2.

use span::PRIORITY_NONE;

use super::Settings;

/// What becomes of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) priority: i32,
    /// Who decided to keep it, as `_dd.p.dm` has it.
    pub(super) maker: Option<&'static str>,
}

const KEEP: i32 = 1;
const DROP: i32 = 0;
/// Kept because somebody said so.
const BY_USER: &str = "-4";
/// Kept by the rate for OTLP.
const BY_RATE: &str = "-9";
/// Spreads trace ids over all numbers.
const FACTOR: u64 = 1_111_111_111_111_111_111;
const NUMBERS: f64 = u64::MAX as f64;

/// Decides about a trace; `asked` is what its last span with a priority asks for.
pub(super) fn decide(settings: &Settings, trace_id: u64, asked: Option<f64>) -> Decision {
    if settings.is_sampled_by_agent {
        return Decision { priority: PRIORITY_NONE, maker: None };
    }
    if let Some(asked) = asked {
        #[expect(clippy::cast_possible_truncation, reason = "saturates; the fraction is lost")]
        let priority = asked as i32;
        return Decision { priority, maker: (priority > 0).then_some(BY_USER) };
    }
    if is_kept(trace_id, settings.rate()) {
        Decision { priority: KEEP, maker: Some(BY_RATE) }
    } else {
        Decision { priority: DROP, maker: None }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates; a rate is above 0 and at most 1"
)]
fn is_kept(trace_id: u64, rate: f64) -> bool {
    rate >= 1.0 || trace_id.wrapping_mul(FACTOR) < (rate * NUMBERS) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(percentage: f64) -> Settings {
        Settings { sampling_percentage: percentage, ..Settings::default() }
    }

    #[test]
    fn a_share_of_the_traces_is_kept() {
        for (percentage, share) in
            [(100.0, 1000), (25.0, 250), (1.0, 10), (0.0, 1000), (101.0, 1000)]
        {
            let kept = |id: &u64| decide(&settings(percentage), *id, None).priority == KEEP;
            let count = (0..1000_u64).filter(kept).count();
            assert!(count.abs_diff(share) <= 10, "{percentage}: {count}");
        }
        let kept = decide(&settings(25.0), 0, None);
        assert_eq!(kept, Decision { priority: 1, maker: Some("-9") });
    }

    #[test]
    fn a_user_decides_before_the_rate_and_the_agent_before_both() {
        let asked = |priority| decide(&settings(1.0), 7, Some(priority));
        assert_eq!(asked(2.0), Decision { priority: 2, maker: Some("-4") });
        assert_eq!(asked(-1.0), Decision { priority: -1, maker: None });
        let by_agent = Settings { is_sampled_by_agent: true, ..Settings::default() };
        let decision = decide(&by_agent, 7, Some(2.0));
        assert_eq!(decision, Decision { priority: PRIORITY_NONE, maker: None });
    }
}
