//! Text to statements: tokens, and the grammar that statements share (names, terms, types, relations, options).
//!
//! Knows: CQL's grammar, and the original's words for what does not fit it. Never: the schema.
