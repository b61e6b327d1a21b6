// Draws what the sections show, every two seconds. Whatever they show is text: nothing of it becomes an element by itself.
"use strict";

const EVERY_MS = 2000;
/** Counters of the last time and of this one, by where they stand: [value, when in ms]. */
let before = new Map();
let seen = new Map();
/** The children of what is drawn, by their keys. They are made once: who scrolled one or stepped into it finds it where it was. */
const kept = new WeakMap();

function grouped(number) {
  const digits = Number.isInteger(number) || Math.abs(number) >= 100 ? 0 : Math.abs(number) >= 10 ? 1 : 2;
  return number.toLocaleString("en", { maximumFractionDigits: digits });
}

function scaled(number, step, units) {
  let at = 0;
  while (Math.abs(number) >= step && at < units.length - 1) {
    number /= step;
    at += 1;
  }
  return `${grouped(number)} ${units[at]}`;
}

const bytes = (number) => scaled(number, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]);
const micros = (number) => scaled(number, 1000, ["µs", "ms", "s"]);

function lasting(seconds) {
  const steps = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const at = steps.findIndex(([length]) => seconds >= length);
  if (at < 0) return "0 s";
  const [length, name] = steps[at];
  const whole = Math.floor(seconds / length);
  const next = steps[at + 1];
  const rest = next && whole < 10 ? Math.floor((seconds % length) / next[0]) : 0;
  return rest ? `${whole} ${name} ${rest} ${next[1]}` : `${whole} ${name}`;
}

/** How much a counter grew in a second since it was last seen; nothing the first time. */
function rate(key, value, now) {
  const last = before.get(key);
  seen.set(key, [value, now]);
  if (!last || now <= last[1]) return null;
  // One that is less than it was began anew.
  return Math.max(0, value - last[0]) / ((now - last[1]) / 1000);
}

const grown = (written) => (value, { now }, key) => {
  const found = rate(key, value, now);
  return found === null ? null : written(found);
};

/** How a value is written: at what time, and by which key it is known again. */
const UNITS = {
  text: (value) => value,
  count: grouped,
  bytes,
  micros,
  since: (value, { date }) => lasting(Math.max(0, date / 1000 - value)),
  rate: grown((found) => `${grouped(found)} /s`),
  byte_rate: grown((found) => `${bytes(found)}/s`),
  processors: grown((found) => `${grouped(found)} CPU`),
};

/** A value in words, or as links; nothing where it is not known. */
function worded(value, unit, time, key) {
  if (Array.isArray(value)) return value;
  const isKnown = value !== null && value !== "" && (unit === "text" || typeof value === "number");
  return isKnown ? UNITS[unit](value, time, key) : null;
}

/** A view in words. Whether it is drawn or not: its counters are seen. */
function read({ facts, tables }, section, time) {
  const cells = (row, { title, columns }, key) =>
    row.map((value, at) => worded(value, columns[at].unit, time, JSON.stringify([section, title, key, columns[at].name])));
  return {
    facts: facts.map((fact) => ({ ...fact, value: worded(fact.value, fact.unit, time, JSON.stringify([section, fact.name])) })),
    tables: tables.map((table) => {
      const times = new Map();
      const rows = table.rows.map((row) => {
        // Several may have the same name.
        times.set(row[0], 1 + (times.get(row[0]) ?? 0));
        const key = JSON.stringify([row[0], times.get(row[0])]);
        return { key, cells: cells(row, table, key) };
      });
      return { ...table, rows };
    }),
  };
}

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

/** The child that has this key. */
function child(parent, key, tag, kind) {
  if (!kept.has(parent)) kept.set(parent, new Map());
  const own = kept.get(parent);
  if (!own.has(key)) own.set(key, element(tag, undefined, kind));
  return own.get(key);
}

/** Leaves these children, in this order. Who is in place is not touched: what is moved loses the focus. */
function arrange(parent, ...children) {
  const wanted = new Set(children);
  for (const one of [...parent.childNodes]) if (!wanted.has(one)) one.remove();
  children.forEach((one, at) => {
    if (parent.children[at] !== one) parent.insertBefore(one, parent.children[at] ?? null);
  });
  const own = kept.get(parent);
  own?.forEach((one, key) => wanted.has(one) || own.delete(key));
  return parent;
}

/** Words that are there already stay: they may be marked, or read aloud. */
function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
  return place;
}

/** Fills a place with a value; what is not known is a dash. */
function fill(place, value) {
  place.classList.toggle("none", value === null);
  if (!Array.isArray(value)) return say(place, value === null ? "–" : String(value));
  return arrange(place, ...value.map((one, at) => link(place, one, at)));
}

function link(place, { text, to }, at) {
  const isAddress = /^https?:\/\//.test(to);
  const made = say(child(place, `${at} ${isAddress}`, isAddress ? "a" : "span"), text);
  if (isAddress && made.getAttribute("href") !== to) {
    made.href = to;
    made.target = "_blank";
    made.rel = "noopener noreferrer";
  }
  return made;
}

function drawFacts(within, facts) {
  const list = child(within, "facts", "dl", "facts");
  const shown = facts.map(({ name, unit, value }) => {
    const one = child(list, name, "div", unit === "text" ? "fact words" : "fact");
    return arrange(one, say(child(one, "name", "dt"), name), fill(child(one, "value", "dd"), value));
  });
  return arrange(list, ...shown);
}

function drawTable(within, table) {
  const { title, rows, more, empty } = table;
  const card = child(within, `table ${title}`, "div", "card");
  const heading = child(card, "heading", "h3");
  const count = rows.length + more;
  const number = say(child(heading, "count", "span", "count"), count ? grouped(count) : "");
  arrange(heading, say(child(heading, "title", "span"), title), number);
  const shown = [heading, count ? lines(card, table) : say(child(card, "empty", "p"), empty)];
  if (more) shown.push(say(child(card, "more", "p"), `and ${grouped(more)} more`));
  return arrange(card, ...shown);
}

function lines(card, { columns, rows }) {
  const kind = (unit) => (unit === "text" ? "" : "number");
  const table = child(card, "table", "table");
  const [top, body] = [child(table, "top", "thead"), child(table, "body", "tbody")];
  const head = child(top, "head", "tr");
  const names = columns.map(({ name, unit }) => {
    const place = say(child(head, name, "th", kind(unit)), name);
    place.scope = "col";
    return place;
  });
  arrange(top, arrange(head, ...names));
  const shown = rows.map(({ key, cells }) => {
    const line = child(body, key, "tr");
    const places = cells.map((value, at) => {
      const { name, unit } = columns[at];
      const place = child(line, name, "td", kind(unit));
      place.dataset.name = name;
      return fill(place, value);
    });
    return arrange(line, ...places);
  });
  return arrange(table, top, arrange(body, ...shown));
}

function draw(main, { name, title }, { facts, tables }) {
  const place = child(main, name, "section");
  const [heading, within] = [child(place, "heading", "h2"), child(place, "within", "div")];
  place.id = name;
  // Whoever marks a text keeps the mark: what they read is not drawn anew meanwhile.
  const { isCollapsed, anchorNode } = document.getSelection();
  if (!isCollapsed && place.contains(anchorNode)) return place;
  arrange(within, drawFacts(within, facts), ...tables.map((table) => drawTable(within, table)));
  return arrange(place, say(heading, title), within);
}

/** The way to a section. */
function jump(nav, { name, title }) {
  const made = say(child(nav, name, "a"), title);
  made.href = `#${name}`;
  return made;
}

/** An answer, and when the server gave it by its own clock. */
async function get(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return { told: await answer.json(), date: Date.parse(answer.headers.get("date")) };
}

async function look() {
  const [main, nav, state] = ["main", "nav", "state"].map((id) => document.getElementById(id));
  try {
    const { version, sections } = (await get("/console/sections")).told;
    say(document.getElementById("version"), version);
    const answers = await Promise.all(sections.map(({ name }) => get(`/console/sections/${name}`)));
    const now = performance.now();
    const views = answers.map(({ told, date }, at) => read(told, sections[at].name, { now, date }));
    [before, seen] = [seen, new Map()];
    arrange(nav, ...sections.map((section) => jump(nav, section)));
    arrange(main, ...sections.map((section, at) => draw(main, section, views[at])));
    say(state, "live").className = "live";
  } catch (error) {
    say(state, "not reachable").className = "lost";
  }
  setTimeout(() => (document.hidden ? document.addEventListener("visibilitychange", look, { once: true }) : look()), EVERY_MS);
}

look();
