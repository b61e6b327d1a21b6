use super::{Resources, upgrade};
use mesos_proto::v1::{
    Resource,
    offer::{Operation, operation::Type},
    value,
};

/// What an operation makes of resources: some go, others come in their place.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Conversion {
    pub(crate) consumed: Resources,
    pub(crate) converted: Resources,
}

/// What an operation does to resources, or why it makes no sense. Texts are the original's.
pub(crate) fn conversion(operation: &Operation) -> Result<Conversion, String> {
    let kind = operation.r#type.and_then(|kind| Type::try_from(kind).ok());
    let missing = || "The operation's own field is missing".to_owned();
    match kind.unwrap_or(Type::Unknown) {
        Type::Reserve => {
            let reserve = operation.reserve.as_ref().ok_or_else(missing)?;
            let converted = of(&reserve.resources)?;
            let consumed = match reserve.source.as_slice() {
                [] => each(&reserve.resources, unreserve)?,
                source => of(source)?,
            };
            Ok(Conversion { consumed, converted })
        }
        Type::Unreserve => {
            let resources = &operation.unreserve.as_ref().ok_or_else(missing)?.resources;
            let volume = |one: &Resource| one.disk.as_ref().is_some_and(|disk| disk.persistence.is_some());
            if resources.iter().any(volume) {
                return Err(
                    "A dynamically reserved persistent volume cannot be unreserved directly. \
                    Please destroy the persistent volume first then unreserve the resource"
                        .to_owned(),
                );
            }
            Ok(Conversion {
                consumed: of(resources)?,
                converted: each(resources, unreserve)?,
            })
        }
        Type::Create => {
            let volumes = &operation.create.as_ref().ok_or_else(missing)?.volumes;
            let mut converted = Resources::default();
            for volume in volumes {
                let one = of(std::slice::from_ref(volume))?;
                if contains_volume(&converted, volume) {
                    return Err("Persistence ID is used twice".to_owned());
                }
                converted.add(&one);
            }
            let consumed = each(volumes, destroy)?;
            Ok(Conversion { consumed, converted })
        }
        Type::Destroy => {
            let volumes = &operation.destroy.as_ref().ok_or_else(missing)?.volumes;
            Ok(Conversion {
                consumed: of(volumes)?,
                converted: each(volumes, destroy)?,
            })
        }
        Type::GrowVolume => {
            let grow = operation.grow_volume.as_ref().ok_or_else(missing)?;
            resize(&grow.volume, &grow.addition, true)
        }
        Type::ShrinkVolume => {
            let shrink = operation.shrink_volume.as_ref().ok_or_else(missing)?;
            let mut part = shrink.volume.clone();
            part.scalar = Some(shrink.subtract);
            destroy(&mut part)?;
            resize(&shrink.volume, &part, false)
        }
        Type::CreateDisk | Type::DestroyDisk => Err("Resource providers are not supported here".to_owned()),
        _ => Err("Unknown operation".to_owned()),
    }
}

fn of(list: &[Resource]) -> Result<Resources, String> {
    if list.is_empty() {
        return Err("No resources specified".to_owned());
    }
    Resources::of(list).map_err(|why| format!("Invalid resources: {why}"))
}

fn each(list: &[Resource], change: fn(&mut Resource) -> Result<(), String>) -> Result<Resources, String> {
    let mut changed = list.to_vec();
    for one in &mut changed {
        upgrade(one);
        change(one)?;
    }
    of(&changed)
}

/// Takes the last reservation off.
fn unreserve(resource: &mut Resource) -> Result<(), String> {
    use mesos_proto::v1::resource::reservation_info::Type as Kind;
    match resource.reservations.pop() {
        Some(last) if last.r#type() == Kind::Dynamic => Ok(()),
        _ => Err(format!(
            "Resource '{}' is not dynamically reserved",
            resource.name
        )),
    }
}

/// Makes a volume plain disk again.
fn destroy(resource: &mut Resource) -> Result<(), String> {
    let disk = resource.disk.take().filter(|disk| disk.persistence.is_some());
    let mut disk = disk.ok_or_else(|| format!("'{}' is not a persistent volume", resource.name))?;
    disk.persistence = None;
    disk.volume = None;
    resource.shared = None;
    resource.disk = disk.source.is_some().then_some(disk);
    Ok(())
}

fn resize(volume: &Resource, part: &Resource, grows: bool) -> Result<Conversion, String> {
    if volume.shared.is_some() {
        return Err("Resizing a shared persistent volume is not supported".to_owned());
    }
    let amount = |one: &Resource| one.scalar.map_or(0.0, |scalar| scalar.value);
    let size = match grows {
        true => amount(volume) + amount(part),
        false => amount(volume) - amount(part),
    };
    if amount(part) <= 0.0 || size <= 0.0 {
        return Err("The size of a volume, before and after, must be positive".to_owned());
    }
    let mut resized = volume.clone();
    resized.scalar = Some(value::Scalar { value: size });
    let (volume, resized) = (of(std::slice::from_ref(volume))?, of(&[resized])?);
    let part = of(std::slice::from_ref(part))?;
    let (mut consumed, mut converted) = (volume, resized);
    match grows {
        true => consumed.add(&part),
        false => converted.add(&part),
    }
    Ok(Conversion { consumed, converted })
}

/// Whether there is a volume of the same name already.
fn contains_volume(all: &Resources, volume: &Resource) -> bool {
    let id = |one: &Resource| {
        one.disk
            .as_ref()
            .and_then(|disk| Some(disk.persistence.as_ref()?.id.clone()))
    };
    let wanted = id(volume);
    !all.filter(|kind| wanted.is_some() && id(kind) == wanted)
        .is_empty()
}
