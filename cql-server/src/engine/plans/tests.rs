use super::{PLANS_BYTES_MAX, Plans};
use crate::{core::schema::Schema, engine::prepare};
use std::sync::Arc;

fn put(plans: &Plans, schema: &Arc<Schema>, text: &str) {
    plans.put(&Arc::new(prepare(schema, text, Some(&"system".into())).unwrap()));
}

#[test]
fn neither_values_nor_definitions_are_kept() {
    let (plans, keyspace) = (Plans::default(), Arc::from("system"));
    let schema = Arc::new(Schema::default());
    let long = format!("SELECT key FROM local WHERE key = '{}'", "x".repeat(1 << 20));
    for text in [&long, "USE system"] {
        put(&plans, &schema, text);
        assert!(plans.get(Some(&keyspace), text).is_none());
    }
    put(&plans, &schema, "SELECT key FROM local");
    assert!(plans.get(Some(&keyspace), "SELECT key FROM local").is_some());
    assert!(plans.get(None, "SELECT key FROM local").is_none());
}

#[test]
fn plans_are_bounded_in_bytes() {
    let (plans, schema) = (Plans::default(), Arc::new(Schema::default()));
    for n in 0..3000 {
        put(
            &plans,
            &schema,
            &format!("SELECT key FROM local WHERE key = '{n}{}'", "x".repeat(3000)),
        );
        assert!(plans.0.lock().bytes() <= PLANS_BYTES_MAX);
    }
}
