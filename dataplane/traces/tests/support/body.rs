//! Requests of tracers: what the tests make by hand, as msgpack.

use span::Format;

use crate::support::{Make, MakeChunk};

/// A body of v0.4 or v1.0. In v1.0 strings are told once, as tracers do.
pub(crate) fn body(format: Format, chunks: &[MakeChunk]) -> Vec<u8> {
    let mut writer = Writer { out: Vec::new(), told: vec![String::new()], is_v1: format.is_v1() };
    if writer.is_v1 {
        writer.payload(chunks);
    } else {
        writer.array(chunks.len());
        for chunk in chunks {
            writer.array(chunk.spans.len());
            for (n, span) in chunk.spans.iter().enumerate() {
                writer.span(span, (n == 0).then_some(chunk.priority));
            }
        }
    }
    writer.out
}

struct Writer {
    out: Vec<u8>,
    told: Vec<String>,
    is_v1: bool,
}

impl Writer {
    fn span(&mut self, span: &Make, priority: Option<i32>) {
        self.map(11);
        let texts = [
            ("service", &span.service),
            ("name", &span.name),
            ("resource", &span.resource),
            ("type", &span.span_type),
        ];
        for (key, text) in texts {
            self.text(key);
            self.text(text);
        }
        let numbers = [
            ("trace_id", span.trace_id),
            ("span_id", span.span_id),
            ("parent_id", span.parent_id),
            ("start", span.start_ns.cast_unsigned()),
            ("duration", span.duration_ns.cast_unsigned()),
        ];
        for (key, number) in numbers {
            self.text(key);
            self.number(number);
        }
        self.text("meta");
        self.map(span.meta.len());
        for (key, value) in &span.meta {
            self.text(key);
            self.text(value);
        }
        self.text("metrics");
        self.map(span.metrics.len() + usize::from(priority.is_some()));
        let priority = priority.map(|priority| ("_sampling_priority_v1", f64::from(priority)));
        let metrics = span.metrics.iter().map(|(key, number)| (&**key, *number));
        for (key, number) in metrics.chain(priority) {
            self.text(key);
            self.double(number);
        }
    }

    fn payload(&mut self, chunks: &[MakeChunk]) {
        self.map(1);
        self.number(11);
        self.array(chunks.len());
        for chunk in chunks {
            self.map(3);
            self.number(1);
            self.number(u64::from(chunk.priority.unsigned_abs()));
            self.number(6);
            self.out.extend([0xc4, 16]);
            self.out.extend([0; 8]);
            self.out.extend(chunk.spans[0].trace_id.to_be_bytes());
            self.number(4);
            self.array(chunk.spans.len());
            for span in &chunk.spans {
                self.numbered_span(span);
            }
        }
    }

    fn numbered_span(&mut self, span: &Make) {
        const FIELDS: [(&str, u64); 3] = [("env", 13), ("version", 14), ("component", 15)];
        let field = |key: &str| FIELDS.iter().find(|(name, _)| *name == key).map(|(_, n)| *n);
        let is_field = |key: &str| field(key).is_some() || key == "span.kind";
        let fields: Vec<_> = span.meta.iter().filter(|(key, _)| is_field(key)).collect();
        let meta: Vec<_> = span.meta.iter().filter(|(key, _)| !is_field(key)).collect();
        self.map(9 + fields.len());
        let texts =
            [(1, &span.service), (2, &span.name), (3, &span.resource), (10, &span.span_type)];
        for (key, text) in texts {
            self.number(key);
            self.text(text);
        }
        let numbers = [
            (4, span.span_id),
            (5, span.parent_id),
            (6, span.start_ns.cast_unsigned()),
            (7, span.duration_ns.cast_unsigned()),
        ];
        for (key, number) in numbers {
            self.number(key);
            self.number(number);
        }
        for (key, value) in fields {
            self.number(field(key).unwrap_or(16));
            match value.as_str() {
                "server" if key == "span.kind" => self.number(2),
                "client" if key == "span.kind" => self.number(3),
                "internal" if key == "span.kind" => self.number(1),
                value => self.text(value),
            }
        }
        self.number(9);
        self.array(3 * (meta.len() + span.metrics.len()));
        for (key, value) in meta {
            self.text(key);
            self.number(1);
            self.text(value);
        }
        for (key, number) in &span.metrics {
            self.text(key);
            self.number(3);
            self.double(*number);
        }
    }

    fn map(&mut self, len: usize) {
        self.out.push(0xde);
        self.out.extend((len as u16).to_be_bytes());
    }

    fn array(&mut self, len: usize) {
        self.out.push(0xdc);
        self.out.extend((len as u16).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        if self.is_v1 {
            if let Some(index) = self.told.iter().position(|told| told == text) {
                self.number(index as u64);
                return;
            }
            self.told.push(text.to_owned());
        }
        self.out.push(0xda);
        self.out.extend((text.len() as u16).to_be_bytes());
        self.out.extend(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        if number < 128 {
            self.out.push(number as u8);
        } else {
            self.out.push(0xcf);
            self.out.extend(number.to_be_bytes());
        }
    }

    fn double(&mut self, number: f64) {
        self.out.push(0xcb);
        self.out.extend(number.to_be_bytes());
    }
}
