use crate::v1::{self, scheduler};

#[test]
fn a_call_is_read_and_written_as_the_original_does() {
    let text = r#"{"framework_id":{"value":"f"},"type":"ACKNOWLEDGE","acknowledge":{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":"bt1nFqdnRQykd6k1BceHeg=="}}"#;
    let call: scheduler::Call = serde_json::from_str(text).unwrap();
    assert_eq!(call.r#type(), scheduler::call::Type::Acknowledge);
    assert_eq!(call.acknowledge.as_ref().unwrap().uuid.len(), 16);
    assert_eq!(serde_json::to_string(&call).unwrap(), text);
}

#[test]
fn an_unknown_name_counts_as_not_set() {
    let call: scheduler::Call = serde_json::from_str(r#"{"type":"BOGUS","colour":[1]}"#).unwrap();
    assert_eq!(call.r#type, None);
}

#[test]
fn what_is_required_is_asked_for() {
    let error = serde_json::from_str::<v1::FrameworkInfo>(r#"{"user":"root"}"#).unwrap_err();
    assert!(error.to_string().contains("missing field `name`"), "{error}");
}

#[test]
fn a_default_is_written_unless_it_is_deprecated() {
    let info = v1::FrameworkInfo {
        user: "root".to_owned(),
        name: "golden".to_owned(),
        ..v1::FrameworkInfo::default()
    };
    assert_eq!(
        serde_json::to_string(&info).unwrap(),
        r#"{"user":"root","name":"golden","failover_timeout":0.0,"checkpoint":false}"#
    );
}
