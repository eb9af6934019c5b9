//! What a metric is called: mapper, namespace, filters, extra tags.
