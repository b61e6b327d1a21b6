//! Keyspaces, tables, types, indexes, views, functions and roles, and how statements change them.
//!
//! Knows: names, options, defaults, what may follow what, with the original's words where it may not.
//! Never: how the schema is stored or announced.
