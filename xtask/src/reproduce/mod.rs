//! `cargo xtask reproduce`: the published experiments, run, plotted and compared.

mod chapter;
mod check;
mod context;
mod conversions;
mod drawing;
mod experiment;
mod figure2;
mod figure4;
mod instance;
mod linkage;
mod lower;
mod records;
mod report;
mod shown;
mod store;
mod symmetric;
mod upper;
mod width;

use std::path::PathBuf;

use anyhow::{Result, bail};

use context::Context;
use experiment::Experiment;
use report::{Origin, write_experiment, write_pages};
use store::Store;

/// All experiments, in the order of the report; a new one is a new row.
static EXPERIMENTS: &[Experiment] = &[
    Experiment {
        name: "figure2-ising",
        title: "Figure 2, Ising grids",
        says: "Gauges and weights together give the tightest bound at every interaction strength, more \
               so as it grows; gauges alone are at least as good as reparameterisations or weights alone. \
               MBE and TRBP do better on the Forney form than on the grid itself and stay far behind.",
        does: "Spin glasses with couplings β·U[−1, 1] and fields U[−0.1, 0.1], in the Forney form of Levin \
               and Nave; variables are eliminated row by row at ibound 4. The sizes, the ibound and the \
               order of this experiment did not survive in the text; these are our choice.",
        run: figure2::ising_sweep,
    },
    Experiment {
        name: "figure2-regular",
        title: "Figure 2, 3-regular models",
        says: "On 3-regular Forney-style models gauges beat the other kinds of parameters clearly, and \
               for some strengths alone beat reparameterisations and weights together.",
        does: "The cycle of 180 factors with diameters, clockwise elimination, ibound 4, entries \
               ln f ~ N(0, T²), 150 iterations with the published steps; and random 3-regular graphs, \
               eliminated in the order of their numbers.",
        run: figure2::regular_sweep,
    },
    Experiment {
        name: "figure2-linkage",
        title: "Figure 2, Linkage",
        says: "On genetic linkage models of the UAI competition of 2014, brought into Forney form with \
               equality factors, gauges and weights together beat all other methods.",
        does: "The instances of the shared set, pruned by their hard zeros, in Forney form with equality factors of at \
               most 4 copies; min-fill order, ibound 6 (the paper's is not known).",
        run: linkage::instances,
    },
    Experiment {
        name: "figure4",
        title: "Figure 4, one kind of parameter after another",
        says: "Gains rank gauges > weights > reparameterisation on Ising grids and gauges > \
               reparameterisation > weights on 3-regular models, where gauges alone are almost optimal.",
        does: "One instance of each family, published steps: 150 iterations of one kind and 150 of \
               another after it; and 3000 iterations of each kind alone.",
        run: figure4::descents,
    },
    Experiment {
        name: "theorem1",
        title: "Theorem 1, symmetric models",
        says: "If no table of a binary model changes when all its states flip, reparameterisation \
               cannot improve the bound; gauges with entries off the diagonal can.",
        does: "An Ising grid without field, and the cycle with its tables averaged with their flipped \
               copies: gradients at identity gauges, and 300 published steps of either kind.",
        run: symmetric::theorem,
    },
    Experiment {
        name: "conversions",
        title: "Figures 1 and 3, conversions",
        says: "Any model has a Forney form; a bucket over the limit is split, and each part gets a weight.",
        does: "Drawn from the factor graphs and the schedule that the other experiments run on.",
        run: conversions::drawings,
    },
    Experiment {
        name: "lower-bounds",
        title: "Lower bounds",
        says: "Reverse Hölder weights give lower bounds in the same way; the paper shows none.",
        does: "The sweeps of Figure 2 for every method that proves a lower bound.",
        run: lower::sweep,
    },
    Experiment {
        name: "bracket-time",
        title: "Beyond the paper: bracket width against time",
        says: "The paper counts iterations and shows upper bounds alone; what a user has is time, and what a \
               user needs is both sides.",
        does: "`forney bound` with its methods on ten instances of different families, from 0.01 s to 60 s on \
               all threads; figures of other tools on the same files are drawn in.",
        run: width::run,
    },
];

/// The experiments of the paper and of the chapter.
fn all() -> impl Iterator<Item = &'static Experiment> {
    EXPERIMENTS.iter().chain(chapter::EXPERIMENTS)
}

/// Words of `cargo xtask reproduce`.
#[derive(clap::Args)]
pub(crate) struct Reproduce {
    /// Experiments to run; all if none is named.
    names: Vec<String>,
    /// Fewer points and seeds: two minutes on two cores.
    #[arg(long)]
    quick: bool,
    /// Fail if a stated ordering, or a value of the committed report, no longer holds.
    #[arg(long)]
    check: bool,
    /// Threads; all by default.
    #[arg(long)]
    threads: Option<usize>,
    /// Folder with models that are not bundled.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// Folder to write; docs/reproduction, or target/reproduction for a quick report.
    #[arg(long)]
    output: Option<PathBuf>,
}

/// The committed report.
const COMMITTED: &str = "docs/reproduction";

impl Reproduce {
    pub(crate) fn run(&self) -> Result<()> {
        if let Some(threads) = self.threads {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build_global()?;
        }
        let chosen = self.chosen()?;
        let scratch = PathBuf::from("target/reproduction");
        let folder = match (&self.output, self.quick || !self.names.is_empty()) {
            (Some(folder), _) => folder.clone(),
            (None, true) => scratch.clone(),
            (None, false) => COMMITTED.into(),
        };
        std::fs::create_dir_all(&folder)?;
        let origin = Origin::new(self.quick);
        let store = Store::open(&scratch.join("runs.jsonl"))?;
        let mut done = Vec::new();
        for experiment in chosen {
            let context = Context::new(experiment.name, self.quick, &self.data, &store);
            let one = (experiment, (experiment.run)(&context)?);
            write_experiment(&folder, &origin, &one)?;
            done.push(one);
        }
        write_pages(&folder, &origin, &done)?;
        println!("{}", folder.join("index.html").display());
        if self.check {
            let broken = check::broken(COMMITTED.as_ref(), &done)?;
            if !broken.is_empty() {
                bail!(
                    "{} statements no longer hold:\n{}",
                    broken.len(),
                    broken.join("\n")
                );
            }
        }
        Ok(())
    }

    fn chosen(&self) -> Result<Vec<&'static Experiment>> {
        for name in &self.names {
            if all().all(|e| e.name != name) {
                let known: Vec<_> = all().map(|e| e.name).collect();
                bail!(
                    "there is no experiment {name:?}; there are {}",
                    known.join(", ")
                );
            }
        }
        let named =
            |e: &&Experiment| self.names.is_empty() || self.names.iter().any(|n| n == e.name);
        Ok(all().filter(named).collect())
    }
}
