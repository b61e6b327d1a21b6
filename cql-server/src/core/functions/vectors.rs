//! Similarity of vectors.

use super::Function;
use crate::core::types::{CqlType, Native, elements};
use crate::error::CqlError;

/// The function of that name for two vectors of type `kind`.
pub(super) fn function(name: &str, kind: &CqlType) -> Option<Function> {
    let similarity = match name {
        "similarity_cosine" => cosine,
        "similarity_euclidean" => euclidean,
        "similarity_dot_product" => dot_product,
        _ => return None,
    };
    let own_name = name.to_owned();
    let body = move |arguments: &[Option<&[u8]>], _: &super::Context<'_>| match arguments {
        [Some(left), Some(right)] => {
            let (left, right) = (floats(left), floats(right));
            if own_name == "similarity_cosine" && (is_zero(&left) || is_zero(&right)) {
                return Err(CqlError::Invalid(format!(
                    "Function system.{own_name} doesn't support all-zero vectors."
                )));
            }
            Ok::<_, CqlError>(Some(similarity(&left, &right).to_be_bytes().to_vec()))
        }
        _ => Ok(None),
    };
    Some(Function::scalar(
        name,
        vec![kind.clone(), kind.clone()],
        Native::Float,
        body,
    ))
}

/// How alike two vectors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Similarity {
    #[default]
    Cosine,
    Euclidean,
    DotProduct,
}

impl Similarity {
    /// By the name that an index's options use.
    pub(crate) fn of(name: &str) -> Option<Similarity> {
        match name.to_ascii_lowercase().as_str() {
            "cosine" => Some(Similarity::Cosine),
            "euclidean" => Some(Similarity::Euclidean),
            "dot_product" => Some(Similarity::DotProduct),
            _ => None,
        }
    }

    pub(crate) fn between(self, left: &[f32], right: &[f32]) -> f32 {
        match self {
            Similarity::Cosine => cosine(left, right),
            Similarity::Euclidean => euclidean(left, right),
            Similarity::DotProduct => dot_product(left, right),
        }
    }
}

/// The elements of a vector of floats.
pub(crate) fn floats(value: &[u8]) -> Vec<f32> {
    let float = CqlType::Native(Native::Float);
    let bytes = |element: &[u8]| element.try_into().map_or(f32::NAN, f32::from_be_bytes);
    elements::vector_elements(&float, value).map(bytes).collect()
}

fn is_zero(vector: &[f32]) -> bool {
    vector.iter().all(|element| *element == 0.0)
}

fn product(left: &[f32], right: &[f32]) -> f32 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// From 0, opposite, to 1, alike.
pub(crate) fn cosine(left: &[f32], right: &[f32]) -> f32 {
    let lengths = f64::from(product(left, left)) * f64::from(product(right, right));
    (1.0 + (f64::from(product(left, right)) / lengths.sqrt()) as f32) / 2.0
}

/// From 0, far apart, to 1, the same.
pub(crate) fn euclidean(left: &[f32], right: &[f32]) -> f32 {
    let distance: f32 = left
        .iter()
        .zip(right)
        .map(|(left, right)| (left - right) * (left - right))
        .sum();
    1.0 / (1.0 + distance)
}

/// Of vectors of length one the same as [`cosine`].
pub(crate) fn dot_product(left: &[f32], right: &[f32]) -> f32 {
    (1.0 + product(left, right)) / 2.0
}
