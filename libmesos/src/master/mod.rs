//! Where the master is: one address, or whoever leads according to ZooKeeper.
//!
//! Knows: how the leading one is found. Never: how masters are named, or what is asked of one.

mod detector;

pub(crate) use detector::Detector;
pub(crate) use mesos_proto::masters::{Address, Ensemble, Location, NameError};
