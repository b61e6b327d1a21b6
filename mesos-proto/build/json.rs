use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_build::Config;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};
use std::fmt::Write;

/// Lists that are written even where they are empty, as the original does in the answers to its operators.
const ALWAYS_WRITTEN: &[&str] = &[
    ".mesos.v1.master.Response.GetTasks.tasks",
    ".mesos.v1.master.Response.GetTasks.unreachable_tasks",
    ".mesos.v1.master.Response.GetTasks.completed_tasks",
    ".mesos.v1.master.Response.GetExecutors.executors",
    ".mesos.v1.master.Response.GetFrameworks.frameworks",
    ".mesos.v1.master.Response.GetFrameworks.completed_frameworks",
    ".mesos.v1.master.Response.GetAgents.agents",
    ".mesos.v1.master.Response.GetAgents.recovered_agents",
    ".mesos.v1.agent.Response.GetTasks.pending_tasks",
    ".mesos.v1.agent.Response.GetTasks.queued_tasks",
    ".mesos.v1.agent.Response.GetTasks.launched_tasks",
    ".mesos.v1.agent.Response.GetTasks.terminated_tasks",
    ".mesos.v1.agent.Response.GetTasks.completed_tasks",
    ".mesos.v1.agent.Response.GetExecutors.executors",
    ".mesos.v1.agent.Response.GetExecutors.completed_executors",
    ".mesos.v1.agent.Response.GetFrameworks.frameworks",
    ".mesos.v1.agent.Response.GetFrameworks.completed_frameworks",
];

/// Gives every message and field its serde attributes, and answers the Rust code that these name.
///
/// The rules are those of the original's JSON: names as in the `.proto` file, enumerations by name, bytes as base64,
/// numbers as numbers; a field that is not set is absent, unless it has a default and is not deprecated; unknown
/// fields are skipped, and an unknown name of an enumeration counts as not set.
pub(crate) fn map(files: &FileDescriptorSet, config: &mut Config) -> String {
    let mut helpers = String::new();
    config.message_attribute(".", "#[derive(serde::Serialize, serde::Deserialize)]");
    for file in &files.file {
        let package = file.package().to_owned();
        for enumeration in &file.enum_type {
            named(&format!(".{package}"), enumeration, &mut helpers);
        }
        for message in &file.message_type {
            map_message(&format!(".{package}"), message, config, &mut helpers);
        }
    }
    helpers
}

fn map_message(scope: &str, message: &DescriptorProto, config: &mut Config, helpers: &mut String) {
    let path = format!("{scope}.{}", message.name());
    if message
        .options
        .as_ref()
        .is_some_and(|options| options.map_entry())
    {
        return;
    }
    for enumeration in &message.enum_type {
        named(&path, enumeration, helpers);
    }
    for nested in &message.nested_type {
        map_message(&path, nested, config, helpers);
    }
    for field in &message.field {
        let attribute = attribute(&path, field, helpers);
        config.field_attribute(format!("{path}.{}", field.name()), attribute);
    }
}

/// Makes the members of each oneof plain optional fields, which is what they are in both encodings.
pub(crate) fn flatten_oneofs(messages: &mut [DescriptorProto]) {
    for message in messages {
        message.oneof_decl.clear();
        for field in &mut message.field {
            field.oneof_index = None;
        }
        flatten_oneofs(&mut message.nested_type);
    }
}

/// What the original calls deprecated is served all the same, so Rust need not warn of it.
pub(crate) fn undeprecate(messages: &mut [DescriptorProto]) {
    for message in messages {
        for field in &mut message.field {
            if let Some(options) = &mut field.options {
                options.deprecated = None;
            }
        }
        let values = message.enum_type.iter_mut().flat_map(|one| &mut one.value);
        for options in values.filter_map(|value| value.options.as_mut()) {
            options.deprecated = None;
        }
        undeprecate(&mut message.nested_type);
    }
}

/// How one field is read and written.
fn attribute(message: &str, field: &FieldDescriptorProto, helpers: &mut String) -> String {
    let kind = match field.r#type() {
        Type::Enum => format!("::<{}, _>", rust_path(field.type_name())),
        Type::Bytes => String::new(),
        _ => return plain(message, field, helpers),
    };
    let codec = match field.r#type() {
        Type::Enum => "enumeration",
        _ => "base64",
    };
    let shape = match field.label() {
        Label::Optional => "optional",
        Label::Required => "required",
        Label::Repeated => "repeated",
    };
    let module = format!("crate::json::{codec}::{shape}");
    let read = format!("deserialize_with = \"{module}::read{kind}\"");
    let write = format!("serialize_with = \"{module}::write{kind}\"");
    match (field.label(), defaulted(field)) {
        (Label::Required, _) => format!("#[serde({read}, {write})]"),
        (Label::Repeated, _) => {
            format!("#[serde(default, {read}, {write}, skip_serializing_if = \"Vec::is_empty\")]")
        }
        (Label::Optional, Some(default)) => {
            let write = helper(
                message,
                field,
                &format!(
                    "serializer.serialize_str(value.and_then(|value| {}::try_from(value).ok()).map_or({default:?}, |value| value.as_str_name()))",
                    rust_path(field.type_name())
                ),
                "i32",
                helpers,
            );
            format!("#[serde(default, {read}, serialize_with = \"{write}\")]")
        }
        (Label::Optional, None) => {
            format!(
                "#[serde(default, {read}, {write}, skip_serializing_if = \"{module}::absent{}\")]",
                kind.replace(", _", "")
            )
        }
    }
}

/// A field whose Rust type is the one that JSON has.
fn plain(message: &str, field: &FieldDescriptorProto, helpers: &mut String) -> String {
    match field.label() {
        Label::Required => String::new(),
        Label::Repeated if is_map(field, message) => {
            "#[serde(default, skip_serializing_if = \"std::collections::BTreeMap::is_empty\")]".to_owned()
        }
        Label::Repeated if ALWAYS_WRITTEN.contains(&format!("{message}.{}", field.name()).as_str()) => {
            "#[serde(default)]".to_owned()
        }
        Label::Repeated => "#[serde(default, skip_serializing_if = \"Vec::is_empty\")]".to_owned(),
        Label::Optional => {
            let write = defaulted(field).and_then(|default| {
                let (rust, default) = match field.r#type() {
                    Type::Bool => ("bool", default.to_owned()),
                    Type::Double => ("f64", format!("{default}_f64")),
                    Type::Uint32 => ("u32", format!("{default}_u32")),
                    Type::Int32 => ("i32", format!("{default}_i32")),
                    Type::Uint64 => ("u64", format!("{default}_u64")),
                    Type::Int64 => ("i64", format!("{default}_i64")),
                    _ => return None,
                };
                let body = format!("serde::Serialize::serialize(&value.unwrap_or({default}), serializer)");
                Some(helper(message, field, &body, rust, helpers))
            });
            match write {
                Some(write) => format!("#[serde(default, serialize_with = \"{write}\")]"),
                None => "#[serde(default, skip_serializing_if = \"Option::is_none\")]".to_owned(),
            }
        }
    }
}

/// The default that is written where the field is not set.
fn defaulted(field: &FieldDescriptorProto) -> Option<&str> {
    let deprecated = field.options.as_ref().is_some_and(|options| options.deprecated());
    field.default_value.as_deref().filter(|_| !deprecated)
}

/// Whether a repeated field is a map: its entries are a message that is named after it.
fn is_map(field: &FieldDescriptorProto, message: &str) -> bool {
    let entry = format!("{}Entry", field.name().to_upper_camel_case());
    field.type_name() == format!("{message}.{entry}")
}

/// Writes a function that serializes an optional field, its default included, and answers its path.
fn helper(
    message: &str,
    field: &FieldDescriptorProto,
    body: &str,
    rust: &str,
    helpers: &mut String,
) -> String {
    let name = format!("{}.{}", message.trim_start_matches('.'), field.name())
        .replace('.', "_")
        .to_snake_case();
    let _ = writeln!(
        helpers,
        "pub(crate) fn {name}<S: serde::Serializer>(value: &Option<{rust}>, serializer: S) -> Result<S::Ok, S::Error> {{ {body} }}"
    );
    format!("crate::helpers::{name}")
}

/// An enumeration is written by its name.
fn named(scope: &str, enumeration: &EnumDescriptorProto, helpers: &mut String) {
    let path = rust_path(&format!("{scope}.{}", enumeration.name()));
    let _ = writeln!(
        helpers,
        "impl crate::json::Named for {path} {{ \
         fn name(self) -> &'static str {{ self.as_str_name() }} \
         fn named(name: &str) -> Option<Self> {{ Self::from_str_name(name) }} }}"
    );
}

/// The path prost gives to what a descriptor calls `.package.Message.Nested`.
fn rust_path(name: &str) -> String {
    let mut parts: Vec<&str> = name.trim_start_matches('.').split('.').collect();
    let last = parts.pop().unwrap_or_default().to_upper_camel_case();
    let modules: Vec<String> = parts.iter().map(|part| part.to_snake_case()).collect();
    format!("crate::types::{}::{last}", modules.join("::"))
}
