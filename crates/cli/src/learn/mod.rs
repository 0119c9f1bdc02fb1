//! `forney learn`: a model with latent variables from data.
//!
//! | module | what it knows |
//! |---|---|
//! | `args` | the words |
//! | `data`, `npy`, `delimited`, `field`, `suspicion`, `trouble` | files made into matrices |
//! | `session` | limits and files of one run |
//! | `job`, `training` | a learner with all that a run needs to know of it, and the run |
//! | `checkpoint`, `renewal`, `lock` | the state in a file that no other run writes |
//! | `stage` | waiting for it, until it is interrupted |
//! | `bar`, `trace`, `report` | what is seen of it |
//! | `sparse_coding`, `bsc`, `em` | one registration for each learner |
//! | `learned`, `pictures` | models and pictures made into files |

pub(crate) mod args;
mod bar;
mod bsc;
mod checkpoint;
mod data;
mod delimited;
mod em;
mod field;
mod job;
mod learned;
mod lock;
mod npy;
mod pictures;
mod renewal;
mod report;
mod session;
mod sparse_coding;
mod stage;
mod suspicion;
mod trace;
mod training;
mod trouble;

use forney_certify::Budget;

use crate::done::Done;
use crate::error::Failure;
use crate::interrupt;
use args::{LearnArgs, LearnCommand, RunArgs};
use lock::Lock;
use report::Report;
use session::{Session, check_folder};
use stage::{Stage, waiting_for};

pub(crate) fn run(args: &LearnArgs) -> Result<Done<Report>, Failure> {
    let budget = Budget::new(args.run().time, interrupt::flag());
    let _lock = claim_checkpoint(args.run())?;
    let stage = Stage::default();
    // The worker outlives this call if it is left behind.
    let (args, own_budget, own_stage) = (args.clone(), budget.clone(), stage.clone());
    waiting_for(&budget, &stage, move || {
        learn(&args, &Session::new(args.run(), own_budget, own_stage))
    })
}

fn learn(args: &LearnArgs, session: &Session<'_>) -> Result<Done<Report>, Failure> {
    match &args.model {
        LearnCommand::SparseCoding(args) => sparse_coding::run(args, session),
        LearnCommand::Bsc(args) => bsc::run(args, session),
        LearnCommand::Em(args) => em::run(args, session),
    }
}

/// Makes the checkpoint this run's own, as long as the lock lives; refuses one that would be lost.
fn claim_checkpoint(args: &RunArgs) -> Result<Option<Lock>, Failure> {
    let Some(path) = args.state() else {
        return Ok(None);
    };
    check_folder(path)?;
    let lock = Lock::take(path)?;
    // Only now no other run can make one.
    if let Some(checkpoint) = &args.checkpoint
        && args.resume.as_ref() != Some(checkpoint)
        && checkpoint.is_file()
    {
        return Err(Failure::Checkpoint {
            file: checkpoint.clone(),
            message: "exists: go on from it with --resume, or remove it first".to_owned(),
        });
    }
    Ok(lock)
}
