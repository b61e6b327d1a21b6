//! Tasks as Mesos wants them, by the original's names.

use crate::core::{Container, ContainerKind, Fetch, Job, Launch, Network, Offer, Pair, Volume};
use mesos_proto::v1::{
    AgentId, CommandInfo, ContainerInfo, Environment, ExecutorId, ExecutorInfo, Image, Label, Labels,
    NetworkInfo, Parameter, Parameters, Resource, TaskId, TaskInfo,
    command_info::Uri,
    container_info::{self, DockerInfo, MesosInfo, docker_info},
    environment::Variable,
    image, value,
    volume::{self, Source, source},
};

/// What of an agent a launch goes to.
pub(super) fn task(launch: &Launch, offer: &Offer) -> TaskInfo {
    let job = &launch.job;
    let (command, arguments) = with_arguments(job, launch.arguments.as_deref());
    let environment = Environment {
        variables: environment(launch, offer),
    };
    let mut task = TaskInfo {
        name: format!("ChronosTask:{}", job.name),
        task_id: TaskId {
            value: launch.task.clone(),
        },
        agent_id: AgentId {
            value: offer.agent.clone(),
        },
        resources: resources(job),
        labels: labels(job),
        ..TaskInfo::default()
    };
    let user = Some(job.run_as_user.clone()).filter(|user| !user.is_empty());
    let container = job.container.as_ref().map(container);
    if job.executor.is_empty() {
        task.container = container;
        task.command = Some(CommandInfo {
            environment: Some(environment),
            user,
            ..own_command(job, command, arguments)
        });
    } else {
        let data = match job.task_info_data.as_str() {
            "" => format!("{}|{command}", job.executor_flags),
            data => data.to_owned(),
        };
        task.data = Some(data.into_bytes());
        task.executor = Some(ExecutorInfo {
            executor_id: ExecutorId {
                value: job.name.clone(),
            },
            command: Some(CommandInfo {
                value: Some(job.executor.clone()),
                environment: Some(environment),
                uris: uris(job),
                user,
                ..CommandInfo::default()
            }),
            container,
            ..ExecutorInfo::default()
        });
    }
    task
}

/// Arguments of one run follow the command, or those that it always has where no shell reads it.
fn with_arguments(job: &Job, given: Option<&str>) -> (String, Vec<String>) {
    let mut arguments = job.arguments.clone();
    match given {
        Some(given) if job.shell => (format!("{} {given}", job.command), arguments),
        Some(given) => {
            arguments.extend(given.split_whitespace().map(str::to_owned));
            (job.command.clone(), arguments)
        }
        None => (job.command.clone(), arguments),
    }
}

/// A command that is an address is brought and run.
fn own_command(job: &Job, command: String, arguments: Vec<String>) -> CommandInfo {
    if ["http", "ftp"].iter().any(|scheme| command.starts_with(scheme)) {
        let file = command.rfind('/').map_or("", |at| &command[at..]);
        return CommandInfo {
            value: Some(format!("\".{file}\"")),
            uris: vec![Uri {
                value: command.clone(),
                executable: Some(true),
                ..Uri::default()
            }],
            ..CommandInfo::default()
        };
    }
    CommandInfo {
        uris: uris(job),
        shell: Some(job.shell),
        // As in the original, the first one is what a program is called where no shell reads the command.
        arguments,
        value: Some(command),
        ..CommandInfo::default()
    }
}

fn uris(job: &Job) -> Vec<Uri> {
    let fetched = job.fetch.iter().map(|one: &Fetch| Uri {
        value: one.uri.clone(),
        executable: Some(one.executable),
        extract: Some(one.extract),
        cache: Some(one.cache),
        ..Uri::default()
    });
    let plain = job.uris.iter().map(|uri| Uri {
        value: uri.clone(),
        executable: Some(false),
        extract: Some(false),
        cache: Some(false),
        ..Uri::default()
    });
    fetched.chain(plain).collect()
}

/// What a task finds of itself. A job does not change what the original sets.
fn environment(launch: &Launch, offer: &Offer) -> Vec<Variable> {
    let job = &launch.job;
    let own = [
        ("mesos_task_id", launch.task.clone()),
        ("CHRONOS_JOB_OWNER", job.owner.clone()),
        ("CHRONOS_JOB_NAME", job.name.clone()),
        ("HOST", offer.host.clone()),
        // As Java writes numbers: `128.0`.
        ("CHRONOS_RESOURCE_MEM", format!("{:?}", job.mem)),
        ("CHRONOS_RESOURCE_CPU", format!("{:?}", job.cpus)),
        ("CHRONOS_RESOURCE_DISK", format!("{:?}", job.disk)),
        ("CHRONOS_JOB_RUN_TIME", launch.due.to_string()),
        ("CHRONOS_JOB_RUN_ATTEMPT", launch.attempt.to_string()),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value));
    let given = job
        .environment
        .iter()
        .filter(|pair| !own.iter().any(|(name, _)| *name == pair.name))
        .map(|pair| (pair.name.clone(), pair.value.clone()));
    let given: Vec<(String, String)> = given.collect();
    let variable = |(name, value)| Variable {
        name,
        value: Some(value),
        ..Variable::default()
    };
    own.into_iter().chain(given).map(variable).collect()
}

fn resources(job: &Job) -> Vec<Resource> {
    let all = [
        ("cpus", job.cpus),
        ("mem", job.mem),
        ("disk", job.disk),
        ("gpus", job.gpus),
    ];
    let scalar = |(name, value): (&str, f64)| Resource {
        name: name.to_owned(),
        r#type: value::Type::Scalar as i32,
        scalar: Some(value::Scalar { value }),
        ..Resource::default()
    };
    all.into_iter()
        .filter(|(_, amount)| *amount > 0.0)
        .map(scalar)
        .collect()
}

fn labels(job: &Job) -> Option<Labels> {
    let label = |pair: &Pair| Label {
        key: pair.name.clone(),
        value: Some(pair.value.clone()),
    };
    let labels: Vec<Label> = job.labels.iter().map(label).collect();
    (!labels.is_empty()).then_some(Labels { labels })
}

fn parameters(pairs: &[Pair]) -> Vec<Parameter> {
    let parameter = |pair: &Pair| Parameter {
        key: pair.name.clone(),
        value: pair.value.clone(),
    };
    pairs.iter().map(parameter).collect()
}

fn container(container: &Container) -> ContainerInfo {
    let network_info = |name: &String| NetworkInfo {
        name: Some(name.clone()),
        ..NetworkInfo::default()
    };
    let common = ContainerInfo {
        volumes: container.volumes.iter().map(volume).collect(),
        network_infos: container.network_name.iter().map(network_info).collect(),
        ..ContainerInfo::default()
    };
    match container.kind {
        ContainerKind::Docker => ContainerInfo {
            r#type: container_info::Type::Docker as i32,
            docker: Some(DockerInfo {
                image: container.image.clone(),
                network: Some(match container.network {
                    Network::Host => docker_info::Network::Host,
                    Network::Bridge => docker_info::Network::Bridge,
                    Network::User => docker_info::Network::User,
                } as i32),
                force_pull_image: Some(container.force_pull_image),
                parameters: parameters(&container.parameters),
                ..DockerInfo::default()
            }),
            ..common
        },
        ContainerKind::Mesos => ContainerInfo {
            r#type: container_info::Type::Mesos as i32,
            // Without an image it is the agent's own files that it sees.
            mesos: (!container.image.is_empty()).then(|| MesosInfo {
                image: Some(Image {
                    r#type: image::Type::Docker as i32,
                    docker: Some(image::Docker {
                        name: container.image.clone(),
                        ..image::Docker::default()
                    }),
                    cached: Some(!container.force_pull_image),
                    ..Image::default()
                }),
            }),
            ..common
        },
    }
}

fn volume(own: &Volume) -> mesos_proto::v1::Volume {
    let source = own.external.as_ref().map(|external| Source {
        r#type: Some(source::Type::DockerVolume as i32),
        docker_volume: Some(source::DockerVolume {
            driver: Some(external.provider.clone()),
            name: external.name.clone(),
            driver_options: Some(Parameters {
                parameter: parameters(&external.options),
            }),
        }),
        ..Source::default()
    });
    mesos_proto::v1::Volume {
        container_path: own.container_path.clone(),
        host_path: own.host_path.clone(),
        mode: match own.writable {
            Some(false) => volume::Mode::Ro,
            _ => volume::Mode::Rw,
        } as i32,
        source,
        ..mesos_proto::v1::Volume::default()
    }
}
