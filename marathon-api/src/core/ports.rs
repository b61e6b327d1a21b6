use super::{Core, app::App};
use std::collections::BTreeSet;

/// There are no service ports left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Core {
    /// Gives every port of an app that is left to the server a service port that no other app has; those that an earlier
    /// version was given stay.
    pub(crate) fn assign_ports(&self, app: &mut App, also: &[App]) -> Result<(), Exhausted> {
        if app.require_ports || app.service_ports().all(|port| port != 0) {
            return Ok(());
        }
        let others = self.apps.values().map(|other| &**other).chain(also);
        let others = others.filter(|other| other.id != app.id);
        let mut taken: BTreeSet<u32> = others.flat_map(App::service_ports).collect();
        taken.extend(app.service_ports());
        let earlier = self
            .apps
            .get(&app.id)
            .into_iter()
            .flat_map(|app| app.service_ports());
        let earlier = earlier.filter(|port| self.local_ports.contains(port));
        let earlier: Vec<u32> = earlier.filter(|port| !taken.contains(port)).collect();
        let mut free = earlier.into_iter().chain(self.local_ports.clone());
        for definition in app.port_definitions.iter_mut().filter(|one| one.port == 0) {
            let port = free
                .by_ref()
                .find(|port| !taken.contains(port))
                .ok_or(Exhausted)?;
            taken.insert(port);
            definition.port = port;
        }
        Ok(())
    }
}
