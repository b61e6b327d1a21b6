//! What a storage-attached index may be created with.

use crate::{
    core::{
        functions::vectors::Similarity,
        indexes::Kept,
        schema::{Index, Role, Table, TargetPart},
        types::{CqlType, Native},
    },
    error::{CqlError, Result},
};

const ANALYSIS: [&str; 3] = ["case_sensitive", "normalize", "ascii"];
const SIMILARITY: &str = "similarity_function";
const CONNECTIONS: &str = "maximum_node_connections";
const WIDTH: &str = "construction_beam_width";
const OPTIMIZE: &str = "optimize_for";

/// Whether `index` may be added to `table`.
pub(super) fn check(table: &Table, index: &Index) -> Result<()> {
    let Some(column) = table.column(&index.target.column) else {
        return Ok(());
    };
    let is_other = |other: &&Index| other.is_sai() && other.target == index.target;
    if table.indexes.iter().any(|other| is_other(&other)) {
        return Err(CqlError::invalid(format!(
            "Cannot create more than one storage-attached index on the same column: {}",
            column.name
        )));
    }
    check_known(index)?;
    let has = |options: &[&str]| {
        let mut names = index.options.keys();
        names.any(|name| options.contains(&name.as_str()))
    };
    if has(&ANALYSIS) {
        if matches!(column.role, Role::PartitionKey | Role::Clustering { .. }) {
            return Err(CqlError::invalid(format!(
                "Analysis options are not supported on primary key columns, but found {{{}}}",
                shown(index)
            )));
        }
        check_analysis(table, index)?;
    }
    let vector = match &column.kind {
        CqlType::Vector { of, dimensions } => Some((of, *dimensions)),
        _ => None,
    };
    if has(&[SIMILARITY, CONNECTIONS, WIDTH, OPTIMIZE]) && vector.is_none() {
        return Err(CqlError::invalid(format!(
            "CQL type {} cannot have vector options",
            column.kind
        )));
    }
    let Some((of, dimensions)) = vector else {
        return Ok(());
    };
    check_vector(index)?;
    if **of != CqlType::Native(Native::Float) {
        return Err(CqlError::invalid(
            "SAI ANN indexes are only allowed on vector columns with float elements",
        ));
    }
    let name = index.options.get(SIMILARITY).map_or("cosine", String::as_str);
    if dimensions == 1 && Similarity::of(name) == Some(Similarity::Cosine) {
        return Err(CqlError::invalid(
            "Cosine similarity is not supported for single-dimension vectors",
        ));
    }
    Ok(())
}

/// What is said to whoever adds an index to a table whose vectors are indexed.
pub(super) fn warning(table: &Table) -> Option<String> {
    let is_of_vectors = |index: &Index| {
        let column = table.column(&index.target.column);
        index.is_sai() && column.is_some_and(|column| matches!(column.kind, CqlType::Vector { .. }))
    };
    table.indexes.iter().any(is_of_vectors).then(|| {
        "SAI ANN indexes on vector columns are experimental and are not recommended for production use.\n\
         They don't yet support SELECT queries with:\n \
         * Consistency level higher than ONE/LOCAL_ONE.\n \
         * Paging.\n \
         * No LIMIT clauses.\n \
         * PER PARTITION LIMIT clauses.\n \
         * GROUP BY clauses.\n \
         * Aggregation functions.\n \
         * Filters on columns without a SAI index."
            .to_owned()
    })
}

fn shown(index: &Index) -> String {
    let options = index
        .options
        .iter()
        .map(|(key, value)| format!("'{key}': '{value}'"));
    options.collect::<Vec<_>>().join(", ")
}

fn check_known(index: &Index) -> Result<()> {
    let is_known =
        |name: &str| ANALYSIS.contains(&name) || [SIMILARITY, CONNECTIONS, WIDTH, OPTIMIZE].contains(&name);
    let names = index.options.keys().map(String::as_str);
    let unknown: Vec<&str> = names.filter(|name| !is_known(name)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(CqlError::Config(format!(
        "Properties specified [{}] are not understood by StorageAttachedIndex",
        unknown.join(", ")
    )))
}

fn check_analysis(table: &Table, index: &Index) -> Result<()> {
    let kind = Kept::of(table, index).map(|kept| kept.kind(table).clone());
    let is_text = matches!(kind, Some(CqlType::Native(Native::Text | Native::Ascii)));
    if !is_text || index.target.part == TargetPart::Entries {
        let column = table.column(&index.target.column);
        let kind = column.map(|column| column.kind.to_string()).unwrap_or_default();
        return Err(CqlError::invalid(format!("CQL type {kind} cannot be analyzed.")));
    }
    for name in ANALYSIS {
        if let Some(value) = index.options.get(name)
            && !["true", "false"]
                .iter()
                .any(|word| value.eq_ignore_ascii_case(word))
        {
            return Err(CqlError::invalid(format!(
                "Illegal value for boolean option '{name}': {value}"
            )));
        }
    }
    Ok(())
}

fn check_vector(index: &Index) -> Result<()> {
    for (name, shown) in [
        (CONNECTIONS, "Maximum node connections"),
        (WIDTH, "Construction beam width"),
    ] {
        if index.options.contains_key(name) {
            return Err(CqlError::invalid(format!(
                "{shown} cannot be set without enabling SAI_VECTOR_ALLOW_CUSTOM_PARAMETERS"
            )));
        }
    }
    if let Some(name) = index
        .options
        .get(SIMILARITY)
        .filter(|name| Similarity::of(name).is_none())
    {
        return Err(CqlError::invalid(format!(
            "Similarity function {} was not recognized for index null. Valid values are: EUCLIDEAN, DOT_PRODUCT, COSINE",
            name.to_uppercase()
        )));
    }
    if let Some(name) = index.options.get(OPTIMIZE).map(|name| name.to_uppercase())
        && !["LATENCY", "RECALL"].contains(&name.as_str())
    {
        return Err(CqlError::invalid(format!(
            "optimize_for '{name}' was not recognized for index null. Valid values are: LATENCY, RECALL"
        )));
    }
    Ok(())
}
