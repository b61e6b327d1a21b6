use super::ResourceError;
use mesos_proto::v1::{
    Resource,
    resource::{ReservationInfo, reservation_info::Type},
};
use std::fmt::Write;

/// What nobody has reserved.
const UNRESERVED: &str = "*";

/// Puts a resource into the one form that is kept: whose it is stands in `reservations` alone.
pub(crate) fn upgrade(resource: &mut Resource) {
    let role = resource.role.take();
    let dynamic = resource.reservation.take();
    if !resource.reservations.is_empty() {
        return;
    }
    let role = role.filter(|role| role != UNRESERVED);
    match (role, dynamic) {
        (Some(role), None) => resource.reservations.push(ReservationInfo {
            r#type: Some(Type::Static as i32),
            role: Some(role),
            ..ReservationInfo::default()
        }),
        (role, Some(info)) => {
            let role = info.role.clone().or(role);
            resource.reservations.push(ReservationInfo {
                r#type: Some(Type::Dynamic as i32),
                role,
                ..info
            });
        }
        (None, None) => {}
    }
}

/// The form for who knows of one reservation at the most. Refined ones stay as they are.
pub(crate) fn downgrade(resource: &mut Resource) {
    if resource.reservations.len() > 1 {
        return;
    }
    let Some(mut only) = resource.reservations.pop() else {
        resource.role = Some(UNRESERVED.to_owned());
        return;
    };
    resource.role = only.role.take();
    if only.r#type() == Type::Dynamic {
        only.r#type = None;
        resource.reservation = Some(only);
    }
}

/// The role that a resource is reserved for.
pub(crate) fn reserved_role(resource: &Resource) -> Option<&str> {
    resource.reservations.last().map(ReservationInfo::role)
}

/// Whether a resource may be offered to a role: reservations for a role are for those below it, too.
pub(crate) fn is_open_to(resource: &Resource, role: &str) -> bool {
    reserved_role(resource).is_none_or(|of| {
        role.strip_prefix(of)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// What makes no sense of a resource's reservations and volume.
pub(super) fn check(kind: &Resource) -> Result<(), ResourceError> {
    let wrong = |why: &str| Err(ResourceError::Reservation(why.to_owned()));
    for (at, reservation) in kind.reservations.iter().enumerate() {
        match reservation.r#type() {
            Type::Static if at > 0 => {
                return wrong("Invalid refined reservation: A refined reservation cannot be STATIC");
            }
            Type::Unknown => return wrong("Invalid reservation: type is missing"),
            _ => {}
        }
        if reservation.role().is_empty() || reservation.role() == UNRESERVED {
            return wrong("Invalid reservation: role \"*\" cannot be reserved");
        }
    }
    let refined = kind.reservations.windows(2).all(|pair| {
        let below = pair[1].role().strip_prefix(pair[0].role());
        below.is_some_and(|rest| rest.starts_with('/'))
    });
    if !refined {
        return wrong("Invalid refined reservation: a role is not below the one that it refines");
    }
    if kind.disk.is_some() && kind.name != "disk" {
        return wrong("DiskInfo should not be set for a resource that is no disk");
    }
    let volume = kind.disk.as_ref().and_then(|disk| disk.persistence.as_ref());
    if volume.is_some() && kind.reservations.is_empty() {
        return wrong("Persistent volumes cannot be created from unreserved resources.");
    }
    Ok(())
}

/// As the original prints it, after the name.
pub(super) fn describe(kind: &Resource) -> String {
    let mut out = String::new();
    if !kind.reservations.is_empty() {
        let shown = kind.reservations.iter().map(|one| {
            let principal = one.principal.as_ref().map(|name| format!(",{name}"));
            let kind = if one.r#type() == Type::Static {
                "STATIC"
            } else {
                "DYNAMIC"
            };
            format!("({kind},{}{})", one.role(), principal.unwrap_or_default())
        });
        let _ = write!(out, "(reservations: [{}])", shown.collect::<Vec<_>>().join(","));
    }
    if let Some(disk) = &kind.disk {
        let id = disk.persistence.as_ref().map_or("", |one| &one.id);
        let path = disk.volume.as_ref().map_or("", |one| &one.container_path);
        let _ = write!(out, "[{id}:{path}]");
    }
    out
}
