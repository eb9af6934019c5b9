//! When a failing endpoint is tried again. Spec: metrics-intake §10.4, issue 2 §3.
//!
//! The delay after the n-th error in a row is drawn from `[t / factor, t]`, `t = base * 2^n`, at
//! most `max`. When it is over, one request probes. Its success opens the endpoint at once: the
//! error count only decays, it does not block again as the Agent's does.

use std::time::Duration;

use tokio::time::Instant;

use crate::settings::BackoffSettings;

/// Checked backoff settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackoffRule {
    base_secs: f64,
    factor: f64,
    max_secs: f64,
    errors_max: u32,
    recovery_interval: u32,
    recovery_reset: bool,
}

impl BackoffRule {
    /// Values without a meaning fall back to the defaults (spec: metrics-intake §10.1).
    pub(crate) fn new(settings: &BackoffSettings) -> Self {
        let default = BackoffSettings::default();
        let base = if settings.base.is_zero() { default.base } else { settings.base };
        let max = if settings.max.is_zero() { default.max } else { settings.max }.max(base);
        let factor = match settings.factor {
            factor if factor.is_finite() && factor >= 1.0 => factor,
            _ => default.factor,
        };
        let recovery_interval = match settings.recovery_interval {
            0 => default.recovery_interval,
            errors => errors,
        };
        let (base_secs, max_secs) = (base.as_secs_f64(), max.as_secs_f64());
        let mut errors_max = 1;
        while base_secs * 2f64.powi(errors_max) <= max_secs && errors_max < 64 {
            errors_max += 1;
        }
        Self {
            base_secs,
            factor,
            max_secs,
            errors_max: errors_max.unsigned_abs(),
            recovery_interval,
            recovery_reset: settings.recovery_reset,
        }
    }

    /// The wait after `errors` errors in a row.
    pub(crate) fn delay(&self, errors: u32, random: &mut Random) -> Duration {
        if errors == 0 {
            return Duration::ZERO;
        }
        let exponent = i32::try_from(errors.min(self.errors_max)).unwrap_or(i32::MAX);
        let full = self.base_secs * 2f64.powi(exponent);
        if full > self.max_secs {
            return self.max();
        }
        let least = full / self.factor;
        Duration::from_secs_f64(least + (full - least) * random.unit())
    }

    /// The longest delay.
    pub(crate) fn max(&self) -> Duration {
        Duration::from_secs_f64(self.max_secs)
    }
}

/// Lets requests through, or not, for one endpoint or one path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Breaker {
    errors: u32,
    /// Failures since the last success, of any request.
    failed_in_row: u32,
    blocked_until: Option<Instant>,
    /// Requests that started under an earlier block do not count again.
    epoch: u64,
    is_probing: bool,
}

/// Permission to send one request, to be handed back with its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pass {
    epoch: u64,
    is_probe: bool,
}

/// What [`Breaker::admit`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Open(Pass),
    BlockedUntil(Instant),
    /// One probe is under way; its outcome decides.
    Probing,
}

impl Breaker {
    /// Whether a request may start now. A probe pass must be used by [`Breaker::start`].
    pub(crate) fn admit(&self, now: Instant) -> Admission {
        match self.blocked_until {
            None => Admission::Open(Pass { epoch: self.epoch, is_probe: false }),
            Some(until) if now < until => Admission::BlockedUntil(until),
            Some(_) if self.is_probing => Admission::Probing,
            Some(_) => Admission::Open(Pass { epoch: self.epoch, is_probe: true }),
        }
    }

    /// Notes that the admitted request starts.
    pub(crate) fn start(&mut self, pass: Pass) {
        self.is_probing |= pass.is_probe;
    }

    /// A request got through. Returns whether that ended an outage that hit several requests.
    pub(crate) fn on_success(&mut self, pass: Pass, rule: &BackoffRule) -> bool {
        if pass.epoch != self.epoch {
            return false;
        }
        let ends_outage = self.blocked_until.take().is_some() && self.failed_in_row > 1;
        self.is_probing = false;
        self.failed_in_row = 0;
        self.errors = match rule.recovery_reset {
            true => 0,
            false => self.errors.saturating_sub(rule.recovery_interval),
        };
        ends_outage
    }

    /// A request failed; blocks for the next delay or `wait_min`, whichever is longer.
    pub(crate) fn on_failure(
        &mut self,
        pass: Pass,
        now: Instant,
        wait_min: Option<Duration>,
        rule: &BackoffRule,
        random: &mut Random,
    ) {
        self.failed_in_row = self.failed_in_row.saturating_add(1);
        let asked = wait_min.unwrap_or_default().min(rule.max());
        if pass.epoch != self.epoch {
            // Late news of the outage that is already being waited out.
            if let Some(until) = self.blocked_until.filter(|_| !asked.is_zero()) {
                self.blocked_until = Some(until.max(now + asked));
            }
            return;
        }
        self.errors = (self.errors + 1).min(rule.errors_max);
        self.epoch += 1;
        self.is_probing = false;
        self.blocked_until = Some(now + rule.delay(self.errors, random).max(asked));
    }

    /// The probe neither succeeded nor failed (it was aborted).
    pub(crate) fn on_abandoned(&mut self, pass: Pass) {
        if pass.epoch == self.epoch && pass.is_probe {
            self.is_probing = false;
        }
    }

    /// Forgets everything: the reason for the failures is gone.
    pub(crate) fn clear(&mut self) {
        *self = Self { epoch: self.epoch + 1, ..Self::default() };
    }

    /// Until when requests wait, if they do.
    pub(crate) fn blocked_until(&self) -> Option<Instant> {
        self.blocked_until
    }

    /// Errors in a row, as the delay formula counts them.
    pub(crate) fn errors(&self) -> u32 {
        self.errors
    }
}

/// A small seeded generator (xorshift64*) for jitter; not for secrets.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// Any seed is good.
    pub(crate) fn new(seed: u64) -> Self {
        // Splitmix spreads small seeds; zero is the one state xorshift cannot leave.
        let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self { state: (mixed ^ (mixed >> 31)).max(1) }
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        let bits = u32::try_from(self.next() >> 32).unwrap_or(u32::MAX);
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_vectors::logs_vectors;

    /// The delays of the logs intake, whose settings are others. spec: logs §3.2.
    fn logs_rule() -> BackoffRule {
        BackoffRule::new(&BackoffSettings {
            base: Duration::from_secs(1),
            max: Duration::from_secs(120),
            ..BackoffSettings::default()
        })
    }

    fn count(vector: &serde_json::Value, field: &str) -> u32 {
        u32::try_from(vector[field].as_u64().unwrap()).unwrap()
    }

    #[test]
    fn delays_of_logs_match_their_vectors() {
        let vectors = logs_vectors("backoff");
        assert_eq!(vectors.len(), 8);
        let mut random = Random::new(3);
        for vector in vectors {
            let rule = BackoffRule::new(&BackoffSettings {
                base: Duration::from_secs(u64::from(count(&vector, "base"))),
                factor: f64::from(count(&vector, "factor")),
                max: Duration::from_secs(u64::from(count(&vector, "max"))),
                ..BackoffSettings::default()
            });
            let bound = |at: usize| vector["sleep_range_s"][at].as_f64().unwrap();
            let (least, most, half) = (bound(0), bound(1), (bound(1) - bound(0)) / 2.0);
            let draw = |_| rule.delay(count(&vector, "errors"), &mut random).as_secs_f64();
            let delays: Vec<f64> = (0..200).map(draw).collect();
            assert!(delays.iter().all(|delay| (least..=most).contains(delay)), "{vector}");
            // The whole range is used.
            assert!(delays.iter().any(|delay| *delay <= least + half), "{vector}");
            assert!(delays.iter().any(|delay| *delay >= most - half), "{vector}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn errors_of_logs_count_as_in_their_vectors() {
        let vectors = logs_vectors("backoff_counter");
        assert_eq!(vectors.len(), 6);
        let (rule, mut random, now) = (logs_rule(), Random::new(3), Instant::now());
        for vector in vectors {
            let errors = count(&vector, "errors");
            let mut breaker = Breaker { errors, ..Breaker::default() };
            let sent = pass(&mut breaker, now);
            if vector["success"].as_bool().unwrap() {
                breaker.on_success(sent, &rule);
            } else {
                breaker.on_failure(sent, now, None, &rule, &mut random);
            }
            assert_eq!(breaker.errors(), count(&vector, "after"), "{vector}");
        }
    }

    fn default_rule() -> BackoffRule {
        BackoffRule::new(&BackoffSettings::default())
    }

    fn pass(breaker: &mut Breaker, now: Instant) -> Pass {
        let Admission::Open(pass) = breaker.admit(now) else { panic!("blocked: {breaker:?}") };
        breaker.start(pass);
        pass
    }

    #[test]
    fn delays_match_the_table() {
        let rule = default_rule();
        let mut random = Random::new(1);
        let table =
            [(1, 2, 4), (2, 4, 8), (3, 8, 16), (4, 16, 32), (5, 32, 64), (6, 64, 64), (99, 64, 64)];
        for (errors, least, most) in table {
            for _draw in 0..200 {
                let delay = rule.delay(errors, &mut random);
                assert!(delay >= Duration::from_secs(least), "{errors}: {delay:?}");
                assert!(delay <= Duration::from_secs(most), "{errors}: {delay:?}");
            }
        }
        assert_eq!(rule.delay(0, &mut random), Duration::ZERO);
        assert_eq!(rule.errors_max, 6);
    }

    #[test]
    fn senseless_settings_fall_back() {
        let rule = BackoffRule::new(&BackoffSettings {
            base: Duration::ZERO,
            factor: f64::NAN,
            max: Duration::ZERO,
            recovery_interval: 0,
            recovery_reset: false,
        });
        assert_eq!((rule.errors_max, rule.recovery_interval), (6, 2));
        let inverted = BackoffRule::new(&BackoffSettings {
            base: Duration::from_secs(10),
            max: Duration::from_secs(1),
            ..BackoffSettings::default()
        });
        assert_eq!(inverted.max(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn one_probe_then_open_at_once() {
        let (rule, mut random) = (default_rule(), Random::new(7));
        let mut breaker = Breaker::default();
        let mut now = Instant::now();
        for _failure in 0..6 {
            let probe = pass(&mut breaker, now);
            breaker.on_failure(probe, now, None, &rule, &mut random);
            assert!(matches!(breaker.admit(now), Admission::BlockedUntil(_)));
            now = breaker.blocked_until().unwrap();
        }
        let probe = pass(&mut breaker, now);
        assert_eq!(breaker.admit(now), Admission::Probing);
        assert!(breaker.on_success(probe, &rule), "a real outage ended");
        assert!(matches!(breaker.admit(now), Admission::Open(Pass { is_probe: false, .. })));
        assert_eq!(breaker.errors(), 4, "the count only decays");
    }

    #[tokio::test(start_paused = true)]
    async fn failures_of_one_burst_count_once() {
        let (rule, mut random) = (default_rule(), Random::new(7));
        let mut breaker = Breaker::default();
        let now = Instant::now();
        let passes = [pass(&mut breaker, now), pass(&mut breaker, now), pass(&mut breaker, now)];
        for burst in passes {
            breaker.on_failure(burst, now, None, &rule, &mut random);
        }
        assert_eq!(breaker.errors(), 1);
        assert!(!breaker.on_success(passes[0], &rule), "late success does not open");
        assert!(breaker.blocked_until().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_a_minimum_with_a_cap() {
        let (rule, mut random) = (default_rule(), Random::new(7));
        let now = Instant::now();
        for (asked, least, most) in [(30, 30, 30), (1, 2, 4), (100_000, 64, 64)] {
            let mut breaker = Breaker::default();
            let first = pass(&mut breaker, now);
            let wait = Some(Duration::from_secs(asked));
            breaker.on_failure(first, now, wait, &rule, &mut random);
            let waited = breaker.blocked_until().unwrap() - now;
            assert!(waited >= Duration::from_secs(least), "{asked}: {waited:?}");
            assert!(waited <= Duration::from_secs(most), "{asked}: {waited:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_aborted_probe_lets_another_try() {
        let (rule, mut random) = (default_rule(), Random::new(7));
        let mut breaker = Breaker::default();
        let now = Instant::now();
        let first = pass(&mut breaker, now);
        breaker.on_failure(first, now, None, &rule, &mut random);
        let later = breaker.blocked_until().unwrap();
        let probe = pass(&mut breaker, later);
        breaker.on_abandoned(probe);
        assert!(matches!(breaker.admit(later), Admission::Open(_)));
    }

    proptest::proptest! {
        #[test]
        fn unit_stays_in_range(seed: u64) {
            let mut random = Random::new(seed);
            for _draw in 0..32 {
                let unit = random.unit();
                proptest::prop_assert!((0.0..1.0).contains(&unit));
            }
        }
    }
}
