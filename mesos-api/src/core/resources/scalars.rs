/// Sums of scalars by name, in thousandths. There are few names, so a list is the fastest map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scalars(Vec<(String, i64)>);

impl Scalars {
    pub(crate) fn get(&self, name: &str) -> i64 {
        let found = self.0.iter().find(|(own, _)| own == name);
        found.map_or(0, |(_, thousandths)| *thousandths)
    }

    pub(crate) fn add(&mut self, name: &str, thousandths: i64) {
        match self.0.iter_mut().find(|(own, _)| own == name) {
            Some((_, own)) => *own = own.saturating_add(thousandths),
            None => self.0.push((name.to_owned(), thousandths)),
        }
    }

    pub(crate) fn add_all(&mut self, other: &Scalars) {
        other
            .0
            .iter()
            .for_each(|(name, thousandths)| self.add(name, *thousandths));
    }

    pub(crate) fn subtract_all(&mut self, other: &Scalars) {
        other
            .0
            .iter()
            .for_each(|(name, thousandths)| self.add(name, -thousandths));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0
            .iter()
            .map(|(name, thousandths)| (name.as_str(), *thousandths))
    }

    /// Its greatest part of `total`.
    #[allow(clippy::cast_precision_loss, reason = "a share need not be exact")]
    pub(crate) fn dominant_share(&self, total: &Scalars) -> f64 {
        let share = |(name, own): (&str, i64)| match total.get(name) {
            0 => 0.0,
            all => own as f64 / all as f64,
        };
        self.iter().map(share).fold(0.0, f64::max)
    }
}
