//! How single fields look in JSON: enumerations by name, bytes as base64.
//!
//! Knows: serde, the names of enumerations. Never: a message.

use serde::{Deserialize, Deserializer, Serializer, de::Error};

#[cfg(test)]
mod tests;

/// An enumeration of the API.
pub(crate) trait Named: Sized + TryFrom<i32> + Into<i32> {
    /// Its name in the `.proto` file.
    fn name(self) -> &'static str;
    /// The value of that name.
    fn named(name: &str) -> Option<Self>;
}

/// Enumerations, which prost keeps as numbers.
pub(crate) mod enumeration {
    use super::*;

    fn name<E: Named>(number: i32) -> Option<&'static str> {
        E::try_from(number).ok().map(Named::name)
    }

    pub(crate) mod optional {
        use super::*;

        pub(crate) fn absent<E: Named>(value: &Option<i32>) -> bool {
            value.and_then(name::<E>).is_none()
        }

        pub(crate) fn write<E: Named, S: Serializer>(value: &Option<i32>, to: S) -> Result<S::Ok, S::Error> {
            match value.and_then(name::<E>) {
                Some(name) => to.serialize_str(name),
                None => to.serialize_none(),
            }
        }

        /// An unknown name counts as not set.
        pub(crate) fn read<'a, E: Named, D: Deserializer<'a>>(from: D) -> Result<Option<i32>, D::Error> {
            let name = Option::<std::borrow::Cow<'a, str>>::deserialize(from)?;
            Ok(name.and_then(|name| E::named(&name)).map(Into::into))
        }
    }

    pub(crate) mod required {
        use super::*;

        pub(crate) fn write<E: Named, S: Serializer>(value: &i32, to: S) -> Result<S::Ok, S::Error> {
            to.serialize_str(name::<E>(*value).unwrap_or("UNKNOWN"))
        }

        pub(crate) fn read<'a, E: Named, D: Deserializer<'a>>(from: D) -> Result<i32, D::Error> {
            let name = std::borrow::Cow::<'a, str>::deserialize(from)?;
            let value = E::named(&name).ok_or_else(|| D::Error::custom("Failed to find enum for a field"))?;
            Ok(value.into())
        }
    }

    pub(crate) mod repeated {
        use super::*;

        pub(crate) fn write<E: Named, S: Serializer>(values: &[i32], to: S) -> Result<S::Ok, S::Error> {
            to.collect_seq(values.iter().filter_map(|value| name::<E>(*value)))
        }

        pub(crate) fn read<'a, E: Named, D: Deserializer<'a>>(from: D) -> Result<Vec<i32>, D::Error> {
            let names = Vec::<String>::deserialize(from)?;
            Ok(names
                .iter()
                .filter_map(|name| E::named(name))
                .map(Into::into)
                .collect())
        }
    }
}

/// Bytes.
pub(crate) mod base64 {
    use super::*;
    use ::base64::{Engine, engine::general_purpose::STANDARD};

    fn decode<E: Error>(text: &str) -> Result<Vec<u8>, E> {
        STANDARD
            .decode(text)
            .map_err(|error| E::custom(format!("Failed to base64 decode bytes field: {error}")))
    }

    pub(crate) mod optional {
        use super::*;

        pub(crate) fn absent(value: &Option<Vec<u8>>) -> bool {
            value.is_none()
        }

        pub(crate) fn write<S: Serializer>(value: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
            to.serialize_str(&STANDARD.encode(value.as_deref().unwrap_or_default()))
        }

        pub(crate) fn read<'a, D: Deserializer<'a>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
            let text = Option::<std::borrow::Cow<'a, str>>::deserialize(from)?;
            text.map(|text| decode(&text)).transpose()
        }
    }

    /// Bytes that are always there.
    pub mod required {
        use super::*;

        /// Writes bytes as text.
        pub fn write<S: Serializer>(value: &[u8], to: S) -> Result<S::Ok, S::Error> {
            to.serialize_str(&STANDARD.encode(value))
        }

        /// Reads bytes from text.
        pub fn read<'a, D: Deserializer<'a>>(from: D) -> Result<Vec<u8>, D::Error> {
            decode(&std::borrow::Cow::<'a, str>::deserialize(from)?)
        }
    }
}
