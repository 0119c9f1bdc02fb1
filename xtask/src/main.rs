//! Chores of the workspace, run as `cargo xtask CHORE`.
#![allow(clippy::print_stdout, clippy::print_stderr)] // A program of chores talks to a terminal.

mod measure;
mod methods;
mod peers;
mod reproduce;

use clap::{Parser, Subcommand};

/// Chores of the forney workspace.
#[derive(Parser)]
struct Words {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run the published experiments again; writes `docs/reproduction`.
    Reproduce(reproduce::Reproduce),
    /// Measure exact inference and bounds beside the peers' figures; writes `docs/measured.md`.
    Measure(measure::Measure),
    /// Measure all methods side by side; rewrites the tables of `docs/methods.md`.
    Methods(methods::Methods),
}

fn main() -> anyhow::Result<()> {
    match Words::parse().chore {
        Chore::Reproduce(reproduce) => reproduce.run(),
        Chore::Measure(measure) => measure.run(),
        Chore::Methods(methods) => methods.run(),
    }
}
