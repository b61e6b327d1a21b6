use super::{Address, Location};
use crate::zookeeper::Watch;

/// Tells who leads.
pub(crate) enum Detector {
    At(Address),
    ZooKeeper(Watch),
}

impl Detector {
    /// Starts to look; `changed` is called whenever another master leads.
    pub(crate) fn start(location: Location, changed: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        match location {
            Location::At(address) => Ok(Detector::At(address)),
            Location::ZooKeeper(ensemble) => Watch::start(ensemble, changed).map(Detector::ZooKeeper),
        }
    }

    /// Who leads now, as far as is known.
    pub(crate) fn leader(&self) -> Option<Address> {
        match self {
            Detector::At(address) => Some(address.clone()),
            Detector::ZooKeeper(watch) => watch.leader(),
        }
    }

    /// Looks no longer.
    pub(crate) fn stop(&self) {
        if let Detector::ZooKeeper(watch) = self {
            watch.stop();
        }
    }
}
