//! What a section shows. Numbers come bare: the page writes them with their unit, and makes rates of counters.

use serde::Serialize;

/// Rows of a table that are shown; how many more there are is told.
const ROWS_MAX: usize = 200;
/// Characters of a text that are shown: names come from clients, some without a limit.
const TEXT_CHARS_MAX: usize = 200;

/// What a number measures, or that it is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Words.
    Text,
    /// How many there are.
    Count,
    /// Bytes.
    Bytes,
    /// Something that is counted for ever: shown as how much of it comes in a second.
    Rate,
    /// The same of bytes.
    ByteRate,
    /// Seconds of processors, counted for ever: shown as how many of them are busy.
    Processors,
    /// Microseconds.
    Micros,
    /// Seconds since 1970: shown as how long ago that is.
    Since,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// Words, whoever they come from.
    Text(String),
    /// In the unit of its column.
    Number(f64),
    /// Where more is to be seen.
    Links(Vec<Link>),
    /// Unknown, or none.
    Nothing(()),
}

impl Cell {
    /// Nothing.
    pub const NONE: Cell = Cell::Nothing(());
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        let mut kept: String = text.chars().take(TEXT_CHARS_MAX).collect();
        if kept.len() < text.len() {
            kept.push('…');
        }
        Cell::Text(kept)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::from(text.as_str())
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        match number.is_finite() {
            true => Cell::Number(number),
            false => Cell::NONE,
        }
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Cell::Number(number as f64)
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Cell::Number(number as f64)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::NONE, Into::into)
    }
}

/// A link to another server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// What it is called.
    pub text: String,
    /// Its address: `http://...`; the page takes no other.
    pub to: String,
}

/// One value with its name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fact {
    name: &'static str,
    unit: Unit,
    value: Cell,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Column {
    name: &'static str,
    unit: Unit,
}

/// A table. The first column names its rows: by it a row is known again the next time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    title: &'static str,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    /// Rows that are not shown.
    more: usize,
    /// What is said where there is no row.
    empty: &'static str,
}

impl Table {
    /// A table without rows; `empty` says what that means.
    pub fn new(title: &'static str, empty: &'static str, columns: &[(&'static str, Unit)]) -> Self {
        let columns = columns.iter().map(|(name, unit)| Column { name, unit: *unit });
        Table {
            title,
            columns: columns.collect(),
            rows: Vec::new(),
            more: 0,
            empty,
        }
    }

    /// Whether another row would be shown: what it takes to put one together can be spared otherwise.
    pub fn has_room(&self) -> bool {
        self.rows.len() < ROWS_MAX
    }

    /// Adds a row: a cell for each column.
    pub fn push<const N: usize>(&mut self, row: [Cell; N]) {
        debug_assert_eq!(N, self.columns.len());
        match self.has_room() {
            true => self.rows.push(row.into()),
            false => self.more += 1,
        }
    }

    /// Adds a row for each of `items`. Of those beyond what is shown none is put together.
    pub fn fill<T, const N: usize>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        row: impl Fn(T) -> [Cell; N],
    ) {
        let mut items = items.into_iter();
        let room = ROWS_MAX.saturating_sub(self.rows.len());
        for item in items.by_ref().take(room) {
            self.push(row(item));
        }
        self.and_more(items.count());
    }

    /// Counts rows that nobody put together.
    pub fn and_more(&mut self, rows: usize) {
        self.more += rows;
    }
}

/// All that a section shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct View {
    facts: Vec<Fact>,
    tables: Vec<Table>,
}

impl View {
    /// Adds a value.
    pub fn fact(&mut self, name: &'static str, unit: Unit, value: impl Into<Cell>) {
        let value = value.into();
        self.facts.push(Fact { name, unit, value });
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table) {
        self.tables.push(table);
    }
}
