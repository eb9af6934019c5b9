//! The mapping between values and bin keys. spec: dogstatsd §10.1, §10.2.

/// Key that stands for every value too large to map, and for infinity.
pub const INFINITY_KEY: i16 = i16::MAX;

/// Ratio between the lower bounds of two neighbouring bins: `1 + 2/128`.
pub(crate) const GAMMA: f64 = 1.015_625;
/// `ln(GAMMA)`, as `ln_1p(1/64)`.
const LN_GAMMA: f64 = 0.015_504_186_535_965_254;
/// Key of the value 1; keys below it stand for smaller magnitudes.
const BIAS: i32 = 1338;
/// `GAMMA^(1 - BIAS)`: smaller magnitudes share key 0.
const NORM_MIN: f64 = 9.941_854_089_121_45e-10;

/// The bin key of `value`. Negative values mirror positive ones; NaN maps to 0.
#[must_use]
pub fn key_of(value: f64) -> i16 {
    if value < 0.0 {
        return -key_of(-value);
    }
    if value.is_nan() || value < NORM_MIN {
        return 0;
    }
    let index = (value.ln() / LN_GAMMA).round_ties_even() + f64::from(BIAS);
    if index >= f64::from(INFINITY_KEY) {
        return INFINITY_KEY;
    }
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 1..=32767 by the lines around")]
    let key = index.max(1.0) as i16;
    key
}

/// The value that a bin key stands for: the lower bound of its bin.
#[must_use]
pub fn lower_bound(key: i16) -> f64 {
    match key {
        0 => 0.0,
        INFINITY_KEY => f64::INFINITY,
        k if k < 0 => -lower_bound(k.saturating_neg()),
        k => GAMMA.powi(i32::from(k) - BIAS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// spec: dogstatsd §10.2, the table.
    #[test]
    #[expect(clippy::approx_constant, clippy::float_cmp, reason = "the table's own values")]
    fn keys_and_bounds_match_the_table() {
        for (value, key, low) in [
            (0.0, 0, 0.0),
            (1e-10, 0, 0.0),
            (1e-9, 1, 9.941_854_089_121_45e-10),
            (0.001, 892, 0.000_992_913_313_770_405_5),
            (0.1, 1189, 0.099_248_964_386_837_46),
            (0.5, 1293, 0.497_734_541_080_442_24),
            (0.999, 1338, 1.0),
            (1.0, 1338, 1.0),
            (1.0078, 1339, 1.015_625),
            (1.5, 1364, 1.496_469_773_436_299),
            (2.0, 1383, 2.009_103_080_990_281),
            (3.0, 1409, 3.006_562_032_419_696),
            (3.14, 1412, 3.149_708_168_614_422),
            (5.0, 1442, 5.015_009_921_317_149),
            (7.0, 1464, 7.053_525_082_284_968),
            (10.0, 1487, 10.075_671_884_115_11),
            (42.0, 1579, 41.951_280_428_113_22),
            (64.0, 1606, 63.759_742_228_834_08),
            (100.0, 1635, 99.957_330_625_326_99),
            (1000.0, 1784, 1_007.137_265_792_805_2),
            (1024.0, 1785, 1_022.873_785_570_817_9),
            (12345.678, 1946, 12_413.568_830_701_102),
            (1e6, 2229, 998_720.464_884_782_9),
            (1e9, 2675, 1_005_848_598.295_379_6),
            (-1.0, -1338, -1.0),
            (-3.5, -1419, -3.510_783_069_830_497_4),
            (1e300, 32767, f64::INFINITY),
        ] {
            assert_eq!(key_of(value), key, "key of {value}");
            let bound = lower_bound(key);
            let close = bound == low || ((bound - low) / low).abs() < 1e-12;
            assert!(close, "lower bound of {key}: {bound} instead of {low}");
        }
    }
}
