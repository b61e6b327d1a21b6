//! The JNI contract of Mesos' jars, 1.4 to 1.11: the exported functions, and Java's objects to messages and back.
//!
//! Knows: names and signatures of the jars' classes. Never: a driver's rules; no pointer of Rust's is kept in Java.
//!
//! Of overloaded natives the long names alone are exported: a virtual machine tries the short name first for each of the
//! overloads, and the long one also where a jar has but one of them.

// Exported names are what `unsafe_code` is about here, and one raw pointer in `load`.
#![allow(unsafe_code)]
#![allow(
    unreachable_pub,
    reason = "what is exported to the virtual machine is public, though nobody here calls it"
)]

mod callback;
#[cfg(test)]
mod compat;
mod credential;
mod executor;
mod handles;
mod library;
mod load;
mod marshal;
mod native;
mod native_library;
mod scheduler;
