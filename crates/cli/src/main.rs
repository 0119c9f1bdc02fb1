//! The program `forney`: words on the command line become a job, the job a report.
//!
//! | module | what it knows |
//! |---|---|
//! | `args`, `model_args`, `units`, `observation` | the words |
//! | `problem`, `order`, `plan`, `memory` | files and words made into models, orders, limits |
//! | `elimination`, `answered`, `clash`, `work`, `interrupt` | running a job within its limits |
//! | `progress`, `state`, `trace` | what can be seen of a running job |
//! | `info`, `exact`, `bound`, `compare`, `marginals`, `map`, `convert` | one command each: its report as text and JSON |
//! | `learn` | `forney learn`: data in, training, checkpoints, models out |
//! | `done`, `error`, `unfinished`, `text`, `json` | how results and errors are told, exit codes |

// The libraries print nothing; their user does.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod answered;
mod args;
mod bound;
mod clash;
mod compare;
mod convert;
mod done;
mod elimination;
mod error;
mod exact;
mod files;
mod info;
mod interrupt;
mod json;
mod learn;
mod map;
mod marginals;
mod memory;
mod model_args;
mod observation;
mod order;
mod problem;
mod progress;
mod state;
mod text;
mod trace;
mod unfinished;
mod units;
mod work;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use done::{fail, finish};
use error::Failure;

fn main() -> ExitCode {
    memory::share_heap();
    ExitCode::from(match Cli::try_parse() {
        Ok(cli) => run(&cli),
        Err(error) => explain(&error),
    })
}

fn run(cli: &Cli) -> u8 {
    let threads = usize::from(cli.threads.unwrap_or(0));
    // Without a number, rayon takes one thread for each processor.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    if let Err(error) = pool.build_global() {
        return fail(
            &Failure::Usage(format!("cannot start the threads: {error}")),
            cli.json,
        );
    }
    match &cli.command {
        Command::Info(args) => finish(info::run(args), cli.json),
        Command::Exact(args) => finish(exact::run(args), cli.json),
        Command::Bound(args) => finish(bound::run(args), cli.json),
        Command::Compare(args) => finish(compare::run(args), cli.json),
        Command::Marginals(args) => finish(marginals::run(args), cli.json),
        Command::Map(args) => finish(map::run(args), cli.json),
        Command::Convert(args) => finish(convert::run(args), cli.json),
        Command::Learn(args) => finish(learn::run(args), cli.json),
    }
}

/// Help and version go to standard output; mistakes are explained as all others are, for `--json` as
/// JSON and without the remarks on usage that follow.
fn explain(error: &clap::Error) -> u8 {
    let json = std::env::args_os().any(|word| word == "--json");
    let text = error.render().to_string();
    let mistake = text.strip_prefix("error: ");
    if error.use_stderr() && (json || mistake.is_some()) {
        let message = mistake.unwrap_or(&text);
        let told = match json {
            true => message.split("\n\n").next().unwrap_or_default(),
            false => message,
        };
        return fail(&Failure::Usage(told.trim().to_owned()), json);
    }
    // A closed pipe is no reason to complain about help that nobody reads.
    let _ = error.print();
    u8::try_from(error.exit_code()).unwrap_or(2)
}
