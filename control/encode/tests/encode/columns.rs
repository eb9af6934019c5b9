//! A reader of columnar payloads. spec: metrics-intake §6.

use crate::messages::{ColumnarPayload, MetricData};
use crate::read::{Origin, ReadSeries, ReadSketch, SketchPoint};

/// Everything that a payload holds; panics when a column is too short or has something left.
pub(crate) fn read(payload: &ColumnarPayload) -> (Vec<ReadSeries>, Vec<ReadSketch>) {
    let (mut series, mut sketches) = (Vec::new(), Vec::new());
    for data in &payload.metric_data {
        read_data(data, &mut series, &mut sketches);
    }
    (series, sketches)
}

fn read_data(data: &MetricData, series: &mut Vec<ReadSeries>, sketches: &mut Vec<ReadSketch>) {
    let names = strings(&data.names);
    let tags = strings(&data.tags);
    let tagsets = tagsets(&data.tagsets, &tags);
    let resources = resources(data);
    let source_types = strings(&data.source_types);
    let units = strings(&data.units);
    let origins: Vec<Origin> = data
        .origins
        .chunks(3)
        .map(|triple| (triple[0] as u32, triple[1] as u32, triple[2] as u32))
        .collect();

    let rows = data.types.len();
    for column in [&data.intervals, &data.point_counts] {
        assert_eq!(column.len(), rows);
    }
    for column in [
        &data.name_refs,
        &data.tagset_refs,
        &data.resource_refs,
        &data.source_type_refs,
        &data.origin_refs,
    ] {
        assert_eq!(column.len(), rows);
    }
    let name_refs = running(&data.name_refs);
    let tagset_refs = running(&data.tagset_refs);
    let resource_refs = running(&data.resource_refs);
    let source_type_refs = running(&data.source_type_refs);
    let origin_refs = running(&data.origin_refs);
    let mut unit_refs = running(&data.unit_refs).into_iter();
    let mut timestamps = running(&data.timestamps).into_iter();
    let mut ints = data.sint64.iter().copied();
    let mut singles = data.float32.iter().copied();
    let mut doubles = data.float64.iter().copied();
    let mut bin_counts = data.bin_counts.iter().copied();
    let mut bin_keys = data.bin_keys.iter().copied();
    let mut bin_samples = data.bin_samples.iter().copied();

    for row in 0..rows {
        let kind = data.types[row];
        let mut value = |ints: &mut dyn Iterator<Item = i64>| match kind & 0x30 {
            0x00 => 0.0,
            0x10 => ints.next().unwrap() as f64,
            0x20 => f64::from(singles.next().unwrap()),
            _ => doubles.next().unwrap(),
        };
        let unit =
            if kind & 0x200 == 0 { String::new() } else { pick(&units, unit_refs.next().unwrap()) };
        let name = pick(&names, name_refs[row]);
        let tags = pick(&tagsets, tagset_refs[row]);
        let resources = pick(&resources, resource_refs[row]);
        let origin = origins[origin_refs[row] as usize - 1];
        let point_count = data.point_counts[row];
        if kind & 0xf == 4 {
            let points = (0..point_count)
                .map(|_| {
                    let (sum, min, max) = (value(&mut ints), value(&mut ints), value(&mut ints));
                    let count = ints.next().unwrap();
                    let mut key = 0;
                    let bins = (0..bin_counts.next().unwrap())
                        .map(|_| {
                            key += bin_keys.next().unwrap();
                            (key, bin_samples.next().unwrap())
                        })
                        .collect();
                    SketchPoint {
                        timestamp: timestamps.next().unwrap(),
                        count,
                        sum,
                        min,
                        max,
                        avg: None,
                        bins,
                    }
                })
                .collect();
            assert_eq!(data.intervals[row], 0);
            assert!(resources.iter().all(|(kind, _)| kind == "host"));
            let host = resources.first().map(|(_, name)| name.clone()).unwrap_or_default();
            sketches.push(ReadSketch { name, tags, host, origin, points });
        } else {
            let points =
                (0..point_count).map(|_| (timestamps.next().unwrap(), value(&mut ints))).collect();
            series.push(ReadSeries {
                name,
                tags,
                resources,
                kind: kind & 0xf,
                interval: data.intervals[row],
                unit,
                source_type: pick(&source_types, source_type_refs[row]),
                origin,
                is_no_index: kind & 0x100 != 0,
                points,
            });
        }
    }
    assert_eq!(unit_refs.count() + timestamps.count() + ints.count(), 0, "nothing is left over");
    assert_eq!(singles.count() + doubles.count(), 0, "nothing is left over");
    assert_eq!(bin_counts.count() + bin_keys.count() + bin_samples.count(), 0);
}

fn pick<T: Clone + Default>(entries: &[T], number: i64) -> T {
    if number == 0 { T::default() } else { entries[usize::try_from(number - 1).unwrap()].clone() }
}

fn running(deltas: &[i64]) -> Vec<i64> {
    deltas
        .iter()
        .scan(0_i64, |last, delta| {
            *last = last.wrapping_add(*delta);
            Some(*last)
        })
        .collect()
}

fn strings(mut column: &[u8]) -> Vec<String> {
    let mut strings = Vec::new();
    while !column.is_empty() {
        let len = prost::encoding::decode_varint(&mut column).unwrap() as usize;
        let (string, rest) = column.split_at(len);
        strings.push(String::from_utf8(string.to_vec()).unwrap());
        column = rest;
    }
    let distinct: std::collections::HashSet<&String> = strings.iter().collect();
    assert_eq!(distinct.len(), strings.len(), "no string twice");
    strings
}

fn tagsets(column: &[i64], tags: &[String]) -> Vec<Vec<String>> {
    let mut sets = Vec::new();
    let mut rest = column.iter();
    while let Some(&count) = rest.next() {
        let ids: Vec<i64> = rest.by_ref().take(count as usize).copied().collect();
        assert_eq!(ids.len() as i64, count);
        assert!(ids.iter().all(|&delta| delta > 0), "ids ascend");
        sets.push(running(&ids).into_iter().map(|id| pick(tags, id)).collect());
    }
    sets
}

fn resources(data: &MetricData) -> Vec<Vec<(String, String)>> {
    let strings = strings(&data.resource_strings);
    let mut kinds = data.resource_types.iter().copied();
    let mut names = data.resource_names.iter().copied();
    let mut sets = Vec::new();
    for &count in &data.resource_counts {
        let kinds: Vec<i64> = kinds.by_ref().take(count as usize).collect();
        let names: Vec<i64> = names.by_ref().take(count as usize).collect();
        assert_eq!((kinds.len() as i64, names.len() as i64), (count, count));
        let pairs = running(&kinds).into_iter().zip(running(&names));
        sets.push(pairs.map(|(kind, name)| (pick(&strings, kind), pick(&strings, name))).collect());
    }
    assert_eq!(kinds.count() + names.count(), 0);
    sets
}
