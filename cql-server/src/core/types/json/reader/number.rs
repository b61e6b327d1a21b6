//! Numbers of JSON.

use super::{
    super::malformed::{Malformed, unexpected},
    Json, Reader,
};

impl Reader<'_> {
    pub(super) fn number(&mut self) -> Result<Json, Malformed> {
        let begins = self.at;
        if self.here() == Some('-') {
            self.sign()?;
        }
        let whole = self.at;
        self.digits();
        if self.at - whole > 1 && self.text[whole..].starts_with('0') {
            self.at = whole + 1;
            return Err(self.wrong("Invalid numeric value: Leading zeroes not allowed"));
        }
        // Complaints name the place where the whole number ends, whatever follows it.
        let point = self.at;
        let mut is_whole = true;
        if self.here() == Some('.') {
            is_whole = false;
            self.take('.');
            if self.digits() == 0 {
                let found = self.here().unwrap_or('.');
                return Err(self.no_digit(point, found, "Decimal point not followed by a digit"));
            }
        }
        if let Some(e @ ('e' | 'E')) = self.here() {
            is_whole = false;
            self.take(e);
            if let Some(sign @ ('+' | '-')) = self.here() {
                self.take(sign);
            }
            if self.digits() == 0 {
                return Err(match self.here() {
                    None => self.ended("expected a digit for number exponent"),
                    Some(found) => self.no_digit(point, found, "Exponent indicator not followed by a digit"),
                });
            }
        }
        let number = &self.text[begins..self.at];
        match number.parse() {
            _ if is_whole => Ok(Json::Integer(number.to_owned())),
            Ok(float) => Ok(Json::Float(float)),
            Err(_) => Err(self.wrong(format!("Invalid numeric value: {number}"))),
        }
    }

    /// The sign of a number, which a digit must follow.
    fn sign(&mut self) -> Result<(), Malformed> {
        self.take('-');
        let rest = self.rest();
        match self.here() {
            Some('0'..='9') => Ok(()),
            None => Err(self.ended("No digit following sign")),
            Some('I') => {
                let end = rest.find(|c| !super::goes_on(c)).unwrap_or(rest.len());
                let word = format!("-{}", &rest[..end]);
                self.at += end;
                Err(self.no_number(&word))
            }
            Some(found) => Err(self.no_digit(
                self.at,
                found,
                "expected digit (0-9) to follow minus sign, for valid numeric value",
            )),
        }
    }

    /// Passes digits; how many there were.
    fn digits(&mut self) -> usize {
        let rest = self.rest();
        let count = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        self.at += count;
        count
    }

    fn no_digit(&mut self, at: usize, found: char, why: &str) -> Malformed {
        self.at = at;
        self.wrong(format!("{} in numeric value: {why}", unexpected(found)))
    }
}
