//! What comes out of an experiment: pictures, rows and statements.

use std::borrow::Cow;

use forney_plot::Chart;

/// What came out of an experiment.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) figures: Vec<Figure>,
    /// Columns of the CSV.
    pub(crate) header: Vec<&'static str>,
    /// Its rows.
    pub(crate) table: Vec<Vec<String>>,
    pub(crate) claims: Vec<Claim>,
}

/// One picture with its caption.
pub(crate) struct Figure {
    /// Name of its file without the ending; unique in the report.
    pub(crate) name: String,
    pub(crate) caption: String,
    pub(crate) image: Image,
}

/// A picture.
pub(crate) enum Image {
    Svg(String),
    Png(Vec<u8>),
}

impl Figure {
    /// A figure of charts side by side.
    pub(crate) fn charts(
        name: impl Into<String>,
        caption: impl Into<String>,
        charts: &[Chart],
    ) -> anyhow::Result<Self> {
        Ok(Self {
            name: name.into(),
            caption: caption.into(),
            image: Image::Svg(forney_plot::svg(charts)?),
        })
    }
}

/// A statement that the numbers can contradict.
pub(crate) struct Claim {
    /// The statement, in our words.
    pub(crate) says: Cow<'static, str>,
    /// What was measured, in numbers.
    pub(crate) measured: String,
    /// Do the numbers agree?
    pub(crate) holds: bool,
    /// Why they are known not to, if that is so; `--check` insists on all other statements.
    pub(crate) differs: Option<&'static str>,
}

impl Claim {
    /// A statement that `--check` insists on.
    pub(crate) fn new(
        says: impl Into<Cow<'static, str>>,
        (holds, measured): (bool, String),
    ) -> Self {
        Self {
            says: says.into(),
            measured,
            holds,
            differs: None,
        }
    }

    /// The same under other words.
    pub(crate) fn named(self, words: impl FnOnce(&str) -> String) -> Self {
        Self {
            says: words(&self.says).into(),
            ..self
        }
    }

    /// A statement that is known not to hold here, with the likely reason.
    pub(crate) fn known_to_differ(self, why: &'static str) -> Self {
        Self {
            differs: Some(why),
            ..self
        }
    }

    /// Does `--check` have to fail?
    pub(crate) fn broken(&self) -> bool {
        !self.holds && self.differs.is_none()
    }

    /// What the report says of it.
    pub(crate) fn verdict(&self) -> String {
        match (self.holds, self.differs) {
            (true, _) => "agrees".to_owned(),
            (false, Some(why)) => format!("**differs**: {why}"),
            (false, None) => "**differs**".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_statement_that_is_not_known_to_differ_can_break() {
        let claim = |holds| Claim::new("a ≤ b", (holds, "1 and 2".to_owned()));
        assert!(!claim(true).broken() && claim(false).broken());
        assert!(!claim(false).known_to_differ("rounding").broken());
        assert_eq!(claim(true).known_to_differ("rounding").verdict(), "agrees");
        assert_eq!(claim(false).verdict(), "**differs**");
        let known = claim(false).known_to_differ("rounding");
        assert_eq!(known.verdict(), "**differs**: rounding");
        assert_eq!(
            known.named(|says| format!("{says} at 3")).says,
            "a ≤ b at 3"
        );
    }
}
