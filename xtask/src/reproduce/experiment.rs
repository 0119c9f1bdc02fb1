//! What an experiment is, and what comes out of one.

use std::borrow::Cow;

use forney_plot::Chart;

use super::context::Context;

/// One row of the table of experiments.
pub(crate) struct Experiment {
    /// Its name on the command line and of its files.
    pub(crate) name: &'static str,
    /// Heading in the report.
    pub(crate) title: &'static str,
    /// What the source says, in our words.
    pub(crate) says: &'static str,
    /// What is run here.
    pub(crate) does: &'static str,
    /// Runs it.
    pub(crate) run: fn(&Context<'_>) -> anyhow::Result<Shown>,
}

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
