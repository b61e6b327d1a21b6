//! `libmesos.so`: the native half of Mesos' Java library, which JVM frameworks such as Spark load, over the v1 HTTP API.
//!
//! Knows: the JNI contract of the jars (`jni`), the drivers' rules (`core`), how to reach a master (`master`, `api`).
//! Never: a master's or agent's internals; it serves an original Mesos as well. Links nothing but libc.

mod api;
mod chance;
mod core;
mod driver;
mod jni;
mod log;
mod machine;

// Open for fuzz targets alone: what reads bytes from a socket.
#[doc(hidden)]
pub mod http;
mod master;
mod zookeeper;
