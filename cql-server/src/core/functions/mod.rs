//! Built-in functions: scalar, aggregate, casts and operators.
//!
//! Knows: their names, overloads, and what they give. Never: the rows they are applied to; the time but as an argument.
