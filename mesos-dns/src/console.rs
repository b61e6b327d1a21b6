//! What the console shows of the name server.

use crate::{core::zone::ListedRecord, follow::Known, serve::Responder};
use mesos_client::Master;
use server_kit::console::{Section, Table, Unit, View};
use std::sync::{Arc, atomic::Ordering};

pub(crate) fn section(responder: Arc<Responder>, known: Arc<Known>, master: Master) -> Section {
    Section::new("dns", "Mesos-DNS", move || {
        let view = view(&responder, &known, &master);
        async move { view }
    })
}

fn view(responder: &Responder, known: &Known, master: &Master) -> View {
    let zone = responder.zone();
    let mut view = View::default();
    view.fact("domain", Unit::Text, zone.apex.as_str());
    view.fact(
        "master",
        Unit::Text,
        master.leader().map(|leader| leader.to_string()),
    );
    let heard = match known.hears.load(Ordering::Relaxed) {
        true => "heard",
        false => "not heard",
    };
    view.fact("its events", Unit::Text, heard);
    view.fact("tasks", Unit::Count, known.tasks.load(Ordering::Relaxed));
    view.fact("agents", Unit::Count, known.agents.load(Ordering::Relaxed));
    view.fact("names", Unit::Count, zone.names());
    view.fact("serial", Unit::Text, zone.serial.to_string());
    responder.metrics.show(&mut view);
    let columns = [
        ("task", Unit::Text),
        ("framework", Unit::Text),
        ("name", Unit::Text),
        ("address", Unit::Text),
        ("records", Unit::Count),
    ];
    let mut table = Table::new("Tasks with names", "no task runs", &columns);
    let frameworks = zone.listed.frameworks.iter().flatten();
    let tasks = frameworks.flat_map(|framework| framework.tasks.iter().map(move |task| (framework, task)));
    table.fill(tasks, |(framework, task)| {
        let records = task.records.as_deref().unwrap_or_default();
        let first = |shown: fn(&ListedRecord) -> &String| records.first().map(|one| shown(one).as_str());
        [
            task.id.as_str().into(),
            framework.name.as_str().into(),
            first(|one| &one.name).into(),
            first(|one| &one.host).into(),
            records.len().into(),
        ]
    });
    view.table(table);
    view
}
