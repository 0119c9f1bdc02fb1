#![doc = include_str!("../README.md")]
//!
//! # What is here
//!
//! | to | is |
//! |---|---|
//! | ask a model questions | [`Problem`], within [`Limits`] |
//! | know beforehand what an exact answer costs | [`Plan`] |
//! | eliminate along a plan | [`Task`] |
//! | do anything else | the layers: [`model`], [`uai`], [`exact`], [`bounds`], [`gauge`], [`planar`], [`methods`], [`latent`], [`certify`] |

mod drawn;
mod error;
mod limits;
mod plan;
mod problem;
mod task;

pub use error::{Error, NoFit};
pub use limits::Limits;
pub use plan::Plan;
pub use problem::Problem;
pub use task::{MostProbable, Reduced, Task, restrict};

pub use forney_certify::{Above, Below, Bound, Bracket, Budget, Stop};
pub use forney_methods::BoundReport;
pub use forney_model::{Evidence, FactorGraph, Table, VarId};

pub use forney_bounds as bounds;
pub use forney_certify as certify;
pub use forney_exact as exact;
pub use forney_gauge as gauge;
pub use forney_latent as latent;
pub use forney_methods as methods;
pub use forney_model as model;
pub use forney_planar as planar;
pub use forney_uai as uai;
