//! The limits and files of one run.

use std::path::{Path, PathBuf};

use forney_certify::Budget;
use ndarray::Array2;

use super::args::{PictureArgs, RunArgs};
use super::data::Source;
use super::learned::ends;
use super::pictures;
use super::stage::Stage;
use crate::error::Failure;
use crate::{files, memory};

/// The limits and files of one run.
pub(super) struct Session<'a> {
    pub(super) args: &'a RunArgs,
    pub(super) source: Source<'a>,
    pub(super) budget: Budget,
    pub(super) stage: Stage,
}

impl<'a> Session<'a> {
    pub(super) fn new(args: &'a RunArgs, budget: Budget, stage: Stage) -> Self {
        Self {
            args,
            source: Source {
                path: &args.data,
                array: args.array.as_deref(),
                memory: args.memory.unwrap_or_else(memory::default_limit),
            },
            budget,
            stage,
        }
    }

    /// The data, in which every number is finite.
    pub(super) fn finite_data(&self) -> Result<Array2<f64>, Failure> {
        let data = self.source.read()?;
        self.source.finite(&data)?;
        Ok(data)
    }

    /// Refuses, before hours are spent, files that could not be written in the end.
    pub(super) fn check_outputs(
        &self,
        formats: &[&str],
        picture: Option<&PictureArgs>,
    ) -> Result<(), Failure> {
        let args = self.args;
        for format in ["npz", "uai"] {
            if let Some(output) = &args.output
                && ends(output, format)
                && !formats.contains(&format)
            {
                return Err(Failure::Usage(format!(
                    "{}: this model is not saved as .{format}, but as .{}",
                    output.display(),
                    formats.join(" or .")
                )));
            }
        }
        let picture = picture.and_then(|picture| picture.picture.as_ref());
        let files = [args.output.as_ref(), args.curve.as_ref(), picture];
        for path in files.into_iter().flatten() {
            check_folder(path)?;
        }
        let files = files.into_iter().chain([args.trace.as_ref()]);
        let written = files.flatten().map(PathBuf::as_path).chain(args.state());
        let resumed = args
            .resume
            .as_deref()
            .filter(|&path| args.state() != Some(path));
        files::apart([&*args.data].into_iter().chain(resumed), written)
    }

    /// Refuses a model whose learning takes more memory than is allowed, with that of the data.
    pub(super) fn admit(&self, data: &Array2<f64>, model: f64) -> Result<(), Failure> {
        let (bytes, limit) = (8.0 * data.len() as f64 + model, self.source.memory);
        if bytes <= limit {
            Ok(())
        } else {
            Err(Failure::ModelTooLarge { bytes, limit })
        }
    }

    /// Refuses tiles that an example does not fill.
    pub(super) fn check_patch(
        &self,
        picture: &PictureArgs,
        data: &Array2<f64>,
    ) -> Result<(), Failure> {
        match picture.picture {
            None => Ok(()),
            Some(_) => pictures::patch(picture.patch, data.ncols()).map(|_| ()),
        }
    }
}

/// Refuses a file whose folder is not there.
pub(super) fn check_folder(path: &Path) -> Result<(), Failure> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    match folder.map(std::fs::metadata) {
        Some(Err(source)) => Err(Failure::Output {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}
