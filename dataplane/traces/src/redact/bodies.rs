//! JSON queries and bodies of document stores.

use obfuscate::{Change, JsonBody};
use span::{Batch, Key};

use super::Rewrite;
use crate::settings::{JsonKeys, Obfuscation};

/// Obfuscators of bodies; `None` leaves them as they are.
#[derive(Debug)]
pub(super) struct Bodies {
    mongodb: Option<JsonBody>,
    elasticsearch: Option<JsonBody>,
    opensearch: Option<JsonBody>,
}

impl Bodies {
    pub(super) fn new(settings: &Obfuscation) -> Self {
        let body = |keys: &Option<JsonKeys>| {
            keys.as_ref().map(|keys| JsonBody::new(&keys.kept, &keys.sql))
        };
        Self {
            mongodb: body(&settings.mongodb),
            elasticsearch: body(&settings.elasticsearch),
            opensearch: body(&settings.opensearch),
        }
    }

    pub(super) fn mongodb(
        &mut self,
        batch: &mut Batch,
        at: usize,
        sql: &mut sql::Obfuscator,
        rewrite: &mut Rewrite<'_>,
    ) {
        apply(&mut self.mongodb, batch, at, Key::MongodbQuery, sql, rewrite);
    }

    pub(super) fn search(
        &mut self,
        batch: &mut Batch,
        at: usize,
        sql: &mut sql::Obfuscator,
        rewrite: &mut Rewrite<'_>,
    ) {
        apply(&mut self.elasticsearch, batch, at, Key::ElasticsearchBody, sql, rewrite);
        apply(&mut self.opensearch, batch, at, Key::OpensearchBody, sql, rewrite);
    }
}

fn apply(
    body: &mut Option<JsonBody>,
    batch: &mut Batch,
    at: usize,
    key: Key,
    sql: &mut sql::Obfuscator,
    rewrite: &mut Rewrite<'_>,
) {
    let Some(body) = body else { return };
    let mut statement = |query: &str, out: &mut String| {
        sql.obfuscate(query, "").map(|done| out.push_str(done.text)).is_ok()
    };
    rewrite
        .all(batch, at, key, |text, out| -> Change { body.obfuscate(text, &mut statement, out) });
}
