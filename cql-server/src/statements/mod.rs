//! One file or folder per statement: its struct, its parser, how it is prepared and executed.
//!
//! Knows: what a statement means for schema and rows. Never: byte layouts of keys or frames.
