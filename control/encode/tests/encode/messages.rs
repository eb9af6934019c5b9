//! Messages of the intake, for decoding. spec: metrics-intake §3, §6.1, §7.1, §8.2.

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct MetricPayload {
    #[prost(message, repeated, tag = "1")]
    pub(crate) series: Vec<MetricSeries>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct MetricSeries {
    #[prost(message, repeated, tag = "1")]
    pub(crate) resources: Vec<Resource>,
    #[prost(string, tag = "2")]
    pub(crate) metric: String,
    #[prost(string, repeated, tag = "3")]
    pub(crate) tags: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) points: Vec<MetricPoint>,
    #[prost(int32, tag = "5")]
    pub(crate) kind: i32,
    #[prost(string, tag = "6")]
    pub(crate) unit: String,
    #[prost(string, tag = "7")]
    pub(crate) source_type_name: String,
    #[prost(int64, tag = "8")]
    pub(crate) interval: i64,
    #[prost(message, optional, tag = "9")]
    pub(crate) metadata: Option<Metadata>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Resource {
    #[prost(string, tag = "1")]
    pub(crate) kind: String,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct MetricPoint {
    #[prost(double, tag = "1")]
    pub(crate) value: f64,
    #[prost(int64, tag = "2")]
    pub(crate) timestamp: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Metadata {
    #[prost(message, optional, tag = "1")]
    pub(crate) origin: Option<Origin>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Origin {
    #[prost(uint32, tag = "3")]
    pub(crate) metric_type: u32,
    #[prost(uint32, tag = "4")]
    pub(crate) product: u32,
    #[prost(uint32, tag = "5")]
    pub(crate) category: u32,
    #[prost(uint32, tag = "6")]
    pub(crate) service: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SketchPayload {
    #[prost(message, repeated, tag = "1")]
    pub(crate) sketches: Vec<Sketch>,
    #[prost(message, optional, tag = "2")]
    pub(crate) metadata: Option<SketchPayloadMetadata>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SketchPayloadMetadata {}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Sketch {
    #[prost(string, tag = "1")]
    pub(crate) metric: String,
    #[prost(string, tag = "2")]
    pub(crate) host: String,
    #[prost(string, repeated, tag = "4")]
    pub(crate) tags: Vec<String>,
    #[prost(message, repeated, tag = "7")]
    pub(crate) dogsketches: Vec<Dogsketch>,
    #[prost(message, optional, tag = "8")]
    pub(crate) metadata: Option<Metadata>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Dogsketch {
    #[prost(int64, tag = "1")]
    pub(crate) ts: i64,
    #[prost(int64, tag = "2")]
    pub(crate) cnt: i64,
    #[prost(double, tag = "3")]
    pub(crate) min: f64,
    #[prost(double, tag = "4")]
    pub(crate) max: f64,
    #[prost(double, tag = "5")]
    pub(crate) avg: f64,
    #[prost(double, tag = "6")]
    pub(crate) sum: f64,
    #[prost(sint32, repeated, tag = "7")]
    pub(crate) k: Vec<i32>,
    #[prost(uint32, repeated, tag = "8")]
    pub(crate) n: Vec<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct EventsPayload {
    #[prost(message, repeated, tag = "1")]
    pub(crate) events: Vec<Event>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Event {
    #[prost(string, tag = "1")]
    pub(crate) title: String,
    #[prost(string, tag = "2")]
    pub(crate) text: String,
    #[prost(int64, tag = "3")]
    pub(crate) ts: i64,
    #[prost(string, tag = "4")]
    pub(crate) priority: String,
    #[prost(string, tag = "5")]
    pub(crate) host: String,
    #[prost(string, repeated, tag = "6")]
    pub(crate) tags: Vec<String>,
    #[prost(string, tag = "7")]
    pub(crate) alert_type: String,
    #[prost(string, tag = "8")]
    pub(crate) aggregation_key: String,
    #[prost(string, tag = "9")]
    pub(crate) source_type_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ColumnarPayload {
    #[prost(message, repeated, tag = "3")]
    pub(crate) metric_data: Vec<MetricData>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct MetricData {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) names: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) tags: Vec<u8>,
    #[prost(sint64, repeated, tag = "3")]
    pub(crate) tagsets: Vec<i64>,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) resource_strings: Vec<u8>,
    #[prost(int64, repeated, tag = "5")]
    pub(crate) resource_counts: Vec<i64>,
    #[prost(sint64, repeated, tag = "6")]
    pub(crate) resource_types: Vec<i64>,
    #[prost(sint64, repeated, tag = "7")]
    pub(crate) resource_names: Vec<i64>,
    #[prost(bytes = "vec", tag = "8")]
    pub(crate) source_types: Vec<u8>,
    #[prost(int32, repeated, tag = "9")]
    pub(crate) origins: Vec<i32>,
    #[prost(uint64, repeated, tag = "10")]
    pub(crate) types: Vec<u64>,
    #[prost(sint64, repeated, tag = "11")]
    pub(crate) name_refs: Vec<i64>,
    #[prost(sint64, repeated, tag = "12")]
    pub(crate) tagset_refs: Vec<i64>,
    #[prost(sint64, repeated, tag = "13")]
    pub(crate) resource_refs: Vec<i64>,
    #[prost(uint64, repeated, tag = "14")]
    pub(crate) intervals: Vec<u64>,
    #[prost(uint64, repeated, tag = "15")]
    pub(crate) point_counts: Vec<u64>,
    #[prost(sint64, repeated, tag = "16")]
    pub(crate) timestamps: Vec<i64>,
    #[prost(sint64, repeated, tag = "17")]
    pub sint64: Vec<i64>,
    #[prost(float, repeated, tag = "18")]
    pub float32: Vec<f32>,
    #[prost(double, repeated, tag = "19")]
    pub float64: Vec<f64>,
    #[prost(uint64, repeated, tag = "20")]
    pub(crate) bin_counts: Vec<u64>,
    #[prost(sint32, repeated, tag = "21")]
    pub(crate) bin_keys: Vec<i32>,
    #[prost(uint32, repeated, tag = "22")]
    pub(crate) bin_samples: Vec<u32>,
    #[prost(sint64, repeated, tag = "23")]
    pub(crate) source_type_refs: Vec<i64>,
    #[prost(sint64, repeated, tag = "24")]
    pub(crate) origin_refs: Vec<i64>,
    #[prost(bytes = "vec", tag = "25")]
    pub(crate) units: Vec<u8>,
    #[prost(sint64, repeated, tag = "26")]
    pub(crate) unit_refs: Vec<i64>,
}
