//! The columns of one `MetricData` message and its dictionaries. spec: metrics-intake §6.2.

use std::sync::Arc;

use super::wire::{Cursor, Field};
use super::{DecodeError, invalid};
use crate::{Provenance, Resource};

/// Number of the last column, plus one.
const COLUMNS: usize = 27;

/// Tags of all sets together: sets that include each other grow without bound otherwise.
const SET_TAGS_MAX: usize = 1_000_000;

/// Names of the columns by field number.
const NAMES: [&str; COLUMNS] = [
    "",
    "dictNameStr",
    "dictTagStr",
    "dictTagsets",
    "dictResourceStr",
    "dictResourceLen",
    "dictResourceType",
    "dictResourceName",
    "dictSourceTypeName",
    "dictOriginInfo",
    "types",
    "nameRefs",
    "tagsetRefs",
    "resourcesRefs",
    "intervals",
    "numPoints",
    "timestamps",
    "valsSint64",
    "valsFloat32",
    "valsFloat64",
    "sketchNumBins",
    "sketchBinKeys",
    "sketchBinCnts",
    "sourceTypeNameRefs",
    "originInfoRefs",
    "dictUnitStr",
    "unitRefs",
];

/// The raw columns of one message.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    columns: [Option<&'a [u8]>; COLUMNS],
}

impl<'a> Columns<'a> {
    /// Finds the columns of a message; what is no column goes to `remarks`.
    pub(super) fn read(message: &'a [u8], remarks: &mut Vec<String>) -> Result<Self, DecodeError> {
        let mut columns = [None; COLUMNS];
        let mut cursor = Cursor::new("MetricData", message);
        while !cursor.is_empty() {
            let (number, bytes) = match cursor.field()? {
                Field::Bytes(number, bytes) => (number, bytes),
                Field::Other(number) => {
                    remarks.push(format!("MetricData: field {number} is not a column"));
                    continue;
                }
            };
            match columns.get_mut(number as usize) {
                Some(Some(_)) => {
                    return invalid(format!("column {} appears twice", NAMES[number as usize]));
                }
                Some(column) => *column = Some(bytes),
                None => remarks.push(format!("MetricData: column {number} is not known")),
            }
        }
        for (name, column) in NAMES.iter().zip(&columns) {
            if column.is_some_and(<[u8]>::is_empty) {
                remarks.push(format!("column {name} is present but empty"));
            }
        }
        Ok(Self { columns })
    }

    /// A reader for a column; a missing column is an empty one.
    pub(super) fn cursor(&self, number: usize) -> Cursor<'a> {
        Cursor::new(NAMES[number], self.columns[number].unwrap_or_default())
    }

    /// Whether the column is missing.
    pub(super) const fn is_missing(&self, number: usize) -> bool {
        self.columns[number].is_none()
    }

    /// Name of a column.
    pub(super) const fn name(number: usize) -> &'static str {
        NAMES[number]
    }

    /// A column of strings.
    fn strings(&self, number: usize) -> Result<Vec<Arc<str>>, DecodeError> {
        let mut cursor = self.cursor(number);
        let mut strings = Vec::new();
        while !cursor.is_empty() {
            let Ok(string) = std::str::from_utf8(cursor.bytes()?) else {
                let entry = strings.len() + 1;
                return invalid(format!("{}: entry {entry} is not UTF-8", NAMES[number]));
            };
            strings.push(Arc::from(string));
        }
        Ok(strings)
    }
}

/// A list whose ids start at 1, where 0 stands for nothing.
#[derive(Debug)]
pub(super) struct Dictionary<T> {
    name: &'static str,
    entries: Vec<T>,
}

impl<T> Dictionary<T> {
    /// The entry of an id; `None` for 0.
    pub(super) fn entry(&self, id: i64) -> Result<Option<&T>, DecodeError> {
        if id == 0 {
            return Ok(None);
        }
        let entry = usize::try_from(id).ok().and_then(|id| self.entries.get(id - 1));
        match entry {
            Some(entry) => Ok(Some(entry)),
            None => invalid(format!(
                "{}: there is no entry {id}, they end at {}",
                self.name,
                self.entries.len()
            )),
        }
    }
}

/// A set of tags and the bytes that they take.
#[derive(Clone, Debug)]
pub(super) struct TagSet {
    /// Sorted.
    pub(super) tags: Arc<[Arc<str>]>,
    pub(super) bytes: usize,
}

/// All dictionaries of one message.
#[derive(Debug)]
pub(super) struct Dictionaries {
    pub(super) names: Dictionary<Arc<str>>,
    pub(super) tagsets: Dictionary<TagSet>,
    pub(super) resources: Dictionary<Arc<[Resource]>>,
    pub(super) source_type_names: Dictionary<Arc<str>>,
    pub(super) origins: Dictionary<Provenance>,
    pub(super) units: Dictionary<Arc<str>>,
}

impl Dictionaries {
    /// Reads every dictionary.
    pub(super) fn read(
        columns: &Columns<'_>,
        remarks: &mut Vec<String>,
    ) -> Result<Self, DecodeError> {
        let dictionary = |number| -> Result<_, DecodeError> {
            Ok(Dictionary { name: NAMES[number], entries: columns.strings(number)? })
        };
        Ok(Self {
            names: dictionary(1)?,
            tagsets: Dictionary {
                name: NAMES[3],
                entries: tagsets(columns, &dictionary(2)?, remarks)?,
            },
            resources: Dictionary {
                name: NAMES[5],
                entries: resource_sets(columns, &dictionary(4)?)?,
            },
            source_type_names: dictionary(8)?,
            origins: Dictionary { name: NAMES[9], entries: origins(columns)? },
            units: dictionary(25)?,
        })
    }
}

/// Sets of tags. A negative id includes an earlier set, which older agents write.
fn tagsets(
    columns: &Columns<'_>,
    strings: &Dictionary<Arc<str>>,
    remarks: &mut Vec<String>,
) -> Result<Vec<TagSet>, DecodeError> {
    let mut cursor = columns.cursor(3);
    let mut sets = Dictionary { name: NAMES[3], entries: Vec::<TagSet>::new() };
    let mut is_sorted = true;
    let mut tag_count = 0;
    while !cursor.is_empty() {
        let declared = cursor.zigzag()?;
        let Some(count) = usize::try_from(declared).ok().filter(|count| *count <= cursor.len())
        else {
            return invalid(format!("dictTagsets: a set counts {declared} tags"));
        };
        let mut tags: Vec<Arc<str>> = Vec::with_capacity(count);
        let mut id = 0_i64;
        for _ in 0..count {
            let last = id.max(0);
            id = id.wrapping_add(cursor.zigzag()?);
            if id < 0 {
                let earlier = sets.entry(id.saturating_neg())?.map(|set| Arc::clone(&set.tags));
                tags.extend(earlier.iter().flat_map(|tags| tags.iter().cloned()));
            } else {
                is_sorted &= id > last;
                let Some(tag) = strings.entry(id)? else {
                    return invalid("dictTagsets: a set holds id 0");
                };
                tags.push(Arc::clone(tag));
            }
            if tag_count + tags.len() > SET_TAGS_MAX {
                return invalid(format!("dictTagsets: more than {SET_TAGS_MAX} tags in all sets"));
            }
        }
        tag_count += tags.len();
        tags.sort_unstable();
        let bytes = tags.iter().map(|tag| tag.len()).sum();
        sets.entries.push(TagSet { tags: tags.into(), bytes });
    }
    if !is_sorted {
        remarks.push("dictTagsets: ids of a set are not ascending".to_owned());
    }
    Ok(sets.entries)
}

fn resource_sets(
    columns: &Columns<'_>,
    strings: &Dictionary<Arc<str>>,
) -> Result<Vec<Arc<[Resource]>>, DecodeError> {
    let mut lengths = columns.cursor(5);
    let mut kinds = columns.cursor(6);
    let mut names = columns.cursor(7);
    let mut sets: Vec<Arc<[Resource]>> = Vec::new();
    while !lengths.is_empty() {
        let count = lengths.count(kinds.len())?;
        let mut set = Vec::with_capacity(count);
        let (mut kind_id, mut name_id) = (0_i64, 0_i64);
        for _ in 0..count {
            kind_id = kind_id.wrapping_add(kinds.zigzag()?);
            name_id = name_id.wrapping_add(names.zigzag()?);
            set.push(Resource {
                kind: string_of(strings, kind_id)?,
                name: string_of(strings, name_id)?,
            });
        }
        sets.push(set.into());
    }
    for (cursor, number) in [(kinds, 6), (names, 7)] {
        if !cursor.is_empty() {
            return invalid(format!("{}: more elements than dictResourceLen says", NAMES[number]));
        }
    }
    Ok(sets)
}

fn string_of(strings: &Dictionary<Arc<str>>, id: i64) -> Result<Arc<str>, DecodeError> {
    Ok(strings.entry(id)?.map_or_else(|| Arc::from(""), Arc::clone))
}

fn origins(columns: &Columns<'_>) -> Result<Vec<Provenance>, DecodeError> {
    let mut cursor = columns.cursor(9);
    let mut origins = Vec::new();
    while !cursor.is_empty() {
        let product = cursor.varint32()?;
        let category = cursor.varint32()?;
        let service = cursor.varint32()?;
        origins.push(Provenance { product, category, service });
    }
    Ok(origins)
}
