//! Chapter 19 of the deep-learning textbook, "Approximate Inference": what it says, run.

mod dictionary;
mod e_steps;
mod explaining_away;
mod gaussian;
mod max_entropy;
mod models;
mod old_faithful;
mod patches;

use super::experiment::Experiment;

/// The experiments of the chapter, in its order.
pub(crate) static EXPERIMENTS: &[Experiment] = &[
    Experiment {
        name: "chapter-models",
        title: "Figure 19.1, models whose posteriors are intractable",
        says: "Inference is hard because latent variables interact: by edges between them, through \
               further layers, or because they have a child in common that is observed.",
        does: "A semi-restricted and a deep Boltzmann machine and a directed model with three causes, each \
               with its visible variables observed, beside a restricted machine.",
        run: models::run,
    },
    Experiment {
        name: "chapter-em",
        title: "19.2, EM touches the likelihood",
        says: "EM is coordinate ascent on the bound: the E-step makes it tight, the M-step raises it.",
        does: "Two Gaussians for 272 eruptions of Old Faithful, from a poor start.",
        run: old_faithful::run,
    },
    Experiment {
        name: "chapter-dictionary",
        title: "19.3, sparse coding of natural patches",
        says: "MAP inference makes sparse coding feasible; its features are useful ones.",
        does: "128 atoms for whitened patches of 8 × 8 pixels of two photographs; each atom is compared with \
               the Gabor function nearest to it.",
        run: dictionary::run,
    },
    Experiment {
        name: "chapter-explaining-away",
        title: "19.4.1, explaining away in binary sparse coding",
        says: "A posterior of several modes is not approximated well by mean field, which takes one.",
        does: "Two components of length 4 σ at an angle, and an example midway between them.",
        run: explaining_away::run,
    },
    Experiment {
        name: "chapter-entropy",
        title: "19.4.2, calculus of variations",
        says: "Among densities of a given mean and variance the Gaussian has the greatest entropy.",
        does: "The Lagrangian is solved for its multipliers on a grid, three variances.",
        run: max_entropy::run,
    },
    Experiment {
        name: "chapter-gaussian",
        title: "19.4.3, mean field with continuous latents",
        says: "The fixed point (19.56) finds the form of q by itself: a Gaussian.",
        does: "h ~ N(0, I), v ~ N(wᵀh, 1); densities on a grid, no form assumed; three choices of w.",
        run: gaussian::run,
    },
    Experiment {
        name: "chapter-e-steps",
        title: "19.4.4, learning and inference interact",
        says: "Learning with an approximation adapts the model to it: with a unimodal q the model \
               becomes one whose posteriors are closer to unimodal.",
        does: "Binary sparse coding of bars learned with the exact, the truncated, the structured and the \
               mean-field E-step.",
        run: e_steps::run,
    },
];
