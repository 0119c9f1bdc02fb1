//! What the minimiser promises, on functions whose minimum is known.

use std::ops::ControlFlow;

use forney_certify::{Budget, Lbfgs, Limits, Objective, Refine, Run, Stop, drive};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

fn minimise<F: Objective>(objective: F, x0: Vec<f64>, sweeps: usize) -> Run<Vec<f64>> {
    run(Lbfgs::new(objective, x0, 10), sweeps)
}

fn run<F: Objective>(descent: Lbfgs<F>, sweeps: usize) -> Run<Vec<f64>> {
    let limits = Limits {
        sweeps: Some(sweeps),
        tolerance: 0.0,
    };
    drive(descent, &limits, &Budget::unlimited(), &mut |_| {
        ControlFlow::Continue(())
    })
}

/// `Σ_i c_i (x_i − i)² / 2`.
fn quadratic(curvatures: &[f64]) -> impl FnMut(&[f64], &mut [f64]) -> f64 + '_ {
    |x, gradient| {
        let mut value = 0.0;
        for (i, c) in curvatures.iter().enumerate() {
            let offset = x[i] - i as f64;
            gradient[i] = c * offset;
            value += 0.5 * c * offset * offset;
        }
        value
    }
}

fn rosenbrock(x: &[f64], gradient: &mut [f64]) -> f64 {
    let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
    gradient[0] = -2.0 * a - 400.0 * x[0] * b;
    gradient[1] = 200.0 * b;
    a * a + 100.0 * b * b
}

/// `ln Σ_r exp(a_r·x + b_r) + λ|x|²/2`, smooth and strictly convex.
struct LogSumExp {
    rows: Vec<Vec<f64>>,
    offsets: Vec<f64>,
    lambda: f64,
}

impl LogSumExp {
    fn random(dimension: usize, rows: usize, lambda: f64, rng: &mut Pcg64) -> Self {
        let mut uniform = |_| 2.0 * rng.random::<f64>() - 1.0;
        Self {
            rows: (0..rows)
                .map(|_| (0..dimension).map(&mut uniform).collect())
                .collect(),
            offsets: (0..rows).map(&mut uniform).collect(),
            lambda,
        }
    }
}

impl Objective for LogSumExp {
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let terms: Vec<f64> = self
            .rows
            .iter()
            .zip(&self.offsets)
            .map(|(row, b)| row.iter().zip(x).map(|(a, x)| a * x).sum::<f64>() + b)
            .collect();
        let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = terms.iter().map(|t| (t - most).exp()).sum();
        for (g, x) in gradient.iter_mut().zip(x) {
            *g = self.lambda * x;
        }
        for (row, term) in self.rows.iter().zip(&terms) {
            let weight = (term - most).exp() / sum;
            for (g, a) in gradient.iter_mut().zip(row) {
                *g += weight * a;
            }
        }
        most + sum.ln() + 0.5 * self.lambda * x.iter().map(|x| x * x).sum::<f64>()
    }
}

fn largest_gradient(mut objective: impl Objective, x: &[f64]) -> f64 {
    let mut gradient = vec![f64::NAN; x.len()];
    objective.evaluate(x, &mut gradient);
    gradient.iter().fold(0.0, |most, g| g.abs().max(most))
}

fn strictly_falling(run: &Run<Vec<f64>>) -> bool {
    // The last sweep may repeat the value: that is how a run converges.
    let values: Vec<f64> = run.trace.iter().map(|sweep| sweep.value).collect();
    let strict = values.len().saturating_sub(1);
    values[..strict].windows(2).all(|pair| pair[1] < pair[0])
        && values.windows(2).all(|pair| pair[1] <= pair[0])
}

#[test]
fn an_ill_conditioned_quadratic_is_solved() {
    let curvatures: Vec<f64> = (0..30).map(|i| 10f64.powf(f64::from(i) / 10.0)).collect();
    let run = minimise(quadratic(&curvatures), vec![-3.0; 30], 500);
    assert!(strictly_falling(&run));
    for (i, x) in run.point.iter().enumerate() {
        assert!((x - i as f64).abs() < 1e-4, "coordinate {i} is {x}");
    }
}

#[test]
fn the_true_curvature_as_scaling_needs_one_or_two_sweeps() {
    let curvatures: Vec<f64> = (0..30).map(|i| 10f64.powf(f64::from(i) / 5.0)).collect();
    let inverse = curvatures.iter().map(|c| 1.0 / c).collect();
    let descent = Lbfgs::new(quadratic(&curvatures), vec![-3.0; 30], 10).with_scaling(inverse);
    assert!(run(descent, 3).trace.last().unwrap().value < 1e-12);
}

#[test]
fn rosenbrock_is_solved_from_the_usual_start() {
    let run = minimise(rosenbrock, vec![-1.2, 1.0], 100);
    assert_eq!(run.stop, Stop::Converged);
    assert!(strictly_falling(&run));
    assert!((run.point[0] - 1.0).abs() < 1e-6 && (run.point[1] - 1.0).abs() < 1e-6);
}

#[test]
fn evaluations_are_counted_and_few() {
    let mut calls = 0;
    let counted = |x: &[f64], gradient: &mut [f64]| {
        calls += 1;
        rosenbrock(x, gradient)
    };
    let mut descent = Lbfgs::new(counted, vec![-1.2, 1.0], 10);
    while descent.sweep() > 1e-10 {}
    let evaluations = descent.evaluations();
    assert!(evaluations < 70, "{evaluations}");
    drop(descent);
    assert_eq!(evaluations, calls);
}

#[test]
fn log_sum_exp_in_400_dimensions() {
    let mut rng = Pcg64::seed_from_u64(1);
    let mut objective = LogSumExp::random(400, 300, 1e-2, &mut rng);
    let run = minimise(
        |x: &[f64], g: &mut [f64]| objective.evaluate(x, g),
        vec![0.0; 400],
        300,
    );
    assert!(strictly_falling(&run));
    assert!(largest_gradient(objective, &run.point) < 1e-6);
}

#[test]
fn many_coordinates() {
    let curvatures: Vec<f64> = (0..100_000).map(|i| 1.0 + f64::from(i % 7)).collect();
    let run = minimise(quadratic(&curvatures), vec![0.0; 100_000], 60);
    let last = run.trace.last().unwrap().value;
    assert!(last < 1e-6, "{last}");
}

/// `x − ln x` where `x > 0`, `bad` elsewhere: the minimum is at 1.
fn barrier(bad: f64) -> impl FnMut(&[f64], &mut [f64]) -> f64 {
    move |x, gradient| {
        if x[0] <= 0.0 {
            gradient[0] = f64::NAN;
            return bad;
        }
        gradient[0] = 1.0 - 1.0 / x[0];
        x[0] - x[0].ln()
    }
}

#[test]
fn trial_points_that_are_not_finite_are_stepped_back_from() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for start in [1e-8, 0.3, 7.0, 1e6] {
            let run = minimise(barrier(bad), vec![start], 200);
            assert!(strictly_falling(&run));
            assert!((run.point[0] - 1.0).abs() < 1e-6, "{bad} {start}: {run:?}");
        }
    }
}

#[test]
fn a_start_that_is_not_finite_ends_at_once() {
    for bad in [f64::NAN, f64::INFINITY] {
        let run = minimise(barrier(bad), vec![-1.0], 200);
        assert!(run.trace.is_empty());
        assert_eq!(run.point, vec![-1.0]);
    }
}

#[test]
fn dimension_zero_converges_at_its_only_point() {
    let run = minimise(|_: &[f64], _: &mut [f64]| 4.5, vec![], 10);
    assert_eq!(run.stop, Stop::Converged);
    assert!((run.trace[0].value - 4.5).abs() < 1e-15);
}

#[test]
fn a_minimum_as_start_is_kept() {
    let mut descent = Lbfgs::new(quadratic(&[1.0, 2.0]), vec![0.0, 1.0], 5);
    assert!(descent.sweep().abs() < 1e-300);
    assert_eq!(descent.point(), vec![0.0, 1.0]);
    assert_eq!(descent.evaluations(), 1);
}

#[test]
fn a_linear_function_falls_without_end() {
    let run = minimise(
        |x: &[f64], gradient: &mut [f64]| {
            gradient[0] = -1.0;
            -x[0]
        },
        vec![0.0],
        20,
    );
    assert!(strictly_falling(&run));
    assert!(run.trace.last().unwrap().value < -1e15);
}

/// The absolute value has no derivative at its minimum; the search must still end near it.
#[test]
fn a_kink_is_approached() {
    let objective = |x: &[f64], gradient: &mut [f64]| {
        let mut value = 0.0;
        for (i, (x, g)) in x.iter().zip(gradient).enumerate() {
            let slope = 1.0 + i as f64;
            *g = slope * x.signum();
            value += slope * x.abs();
        }
        value
    };
    let start = [2f64, 3.0, 5.0].map(f64::sqrt).to_vec();
    let run = minimise(objective, start, 200);
    assert!(strictly_falling(&run));
    assert!(run.trace.last().unwrap().value < 1e-2, "{run:?}");
}

#[test]
fn every_sweep_descends_on_random_convex_functions_whatever_the_memory() {
    let mut rng = Pcg64::seed_from_u64(2);
    for case in 0..1000 {
        let dimension = rng.random_range(1..8);
        let rows = rng.random_range(1..12);
        let mut objective = LogSumExp::random(dimension, rows, 0.1, &mut rng);
        let x0: Vec<f64> = (0..dimension)
            .map(|_| 20.0 * rng.random::<f64>() - 10.0)
            .collect();
        let memory = case % 6;
        let evaluate = |x: &[f64], g: &mut [f64]| objective.evaluate(x, g);
        let run = run(Lbfgs::new(evaluate, x0, memory), 400);
        assert!(strictly_falling(&run), "case {case}");
        let gradient = largest_gradient(objective, &run.point);
        assert!(gradient < 1e-5, "case {case}, memory {memory}: {gradient}");
    }
}
