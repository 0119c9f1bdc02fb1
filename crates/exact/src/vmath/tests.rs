#![expect(clippy::float_cmp, reason = "exact results are what is tested")]

use super::*;
use crate::dispatch::at_each_level;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

const SPECIAL: [f64; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    f64::MIN_POSITIVE,
    -f64::MIN_POSITIVE,
    5e-324,
    f64::MAX,
    f64::MIN,
    EXP_MIN,
    EXP_MAX,
    1e-300,
    -745.2,
];

/// Steps between neighbouring numbers from `a` to `b`, both of one sign or zero.
fn ulps(a: f64, b: f64) -> u64 {
    assert!(!a.is_nan() && !b.is_nan() && a.is_sign_positive() == b.is_sign_positive() || a == b);
    a.abs().to_bits().abs_diff(b.abs().to_bits())
}

fn exp_of(x: &[f64]) -> Vec<f64> {
    let mut out = vec![f64::NAN; x.len()];
    exp_slice(x, &mut out);
    out
}

fn ln_of(x: &[f64]) -> Vec<f64> {
    let mut out = vec![f64::NAN; x.len()];
    ln_slice(x, &mut out);
    out
}

fn bits(x: &[f64]) -> Vec<u64> {
    x.iter().map(|x| x.to_bits()).collect()
}

fn uniform(rng: &mut Pcg64, low: f64, high: f64, len: usize) -> Vec<f64> {
    (0..len).map(|_| rng.random_range(low..=high)).collect()
}

/// Every bit pattern: all exponents, both signs, subnormals, infinities and NaN.
fn any_bits(rng: &mut Pcg64, len: usize) -> Vec<f64> {
    (0..len).map(|_| f64::from_bits(rng.random())).collect()
}

#[test]
fn exp_is_within_one_ulp_of_std() {
    let mut rng = Pcg64::seed_from_u64(1);
    let mut x = uniform(&mut rng, EXP_MIN, EXP_MAX, 400_000);
    x.extend(uniform(&mut rng, -1.0, 1.0, 200_000));
    x.extend(uniform(&mut rng, 709.0, EXP_MAX, 10_000));
    x.extend(uniform(&mut rng, EXP_MIN, -708.0, 10_000));
    let mut tiny = any_bits(&mut rng, 50_000);
    tiny.retain(|x| x.abs() < 1.0);
    x.extend(tiny);
    x.extend([0.0, -0.0, EXP_MIN, EXP_MAX]);
    for (&x, y) in x.iter().zip(exp_of(&x)) {
        assert!(
            ulps(y, x.exp()) <= 1,
            "exp({x:e}) = {y:e}, std {:e}",
            x.exp()
        );
    }
}

#[test]
fn exp_meets_its_ends_exactly() {
    let (below, above) = (EXP_MIN.next_down(), EXP_MAX.next_up());
    assert!(EXP_MIN.exp() >= f64::MIN_POSITIVE && below.exp() < f64::MIN_POSITIVE);
    assert!(EXP_MAX.exp() < f64::INFINITY && above.exp() == f64::INFINITY);
    let x = [
        f64::NEG_INFINITY,
        f64::MIN,
        -745.0,
        below,
        above,
        1e5,
        f64::MAX,
        f64::INFINITY,
    ];
    let inf = f64::INFINITY;
    assert_eq!(
        bits(&exp_of(&x)),
        bits(&[0.0, 0.0, 0.0, 0.0, inf, inf, inf, inf])
    );
    assert_eq!(exp_of(&[0.0, -0.0, 5e-324, -5e-324]), [1.0; 4]);
    assert!(exp_of(&[f64::NAN, -f64::NAN]).iter().all(|y| y.is_nan()));
}

#[test]
fn ln_is_within_one_ulp_of_std() {
    let mut rng = Pcg64::seed_from_u64(2);
    let mut x: Vec<f64> = any_bits(&mut rng, 400_000)
        .iter()
        .map(|x| x.abs())
        .collect();
    x.retain(|x| x.is_finite());
    x.extend(uniform(&mut rng, 0.5, 2.0, 200_000));
    x.extend(uniform(&mut rng, 1.0 - 1e-9, 1.0 + 1e-9, 20_000));
    x.extend((0..20_000).map(|_| f64::from_bits(rng.random_range(1..1u64 << 52))));
    for near in [
        1.0,
        f64::MIN_POSITIVE,
        std::f64::consts::FRAC_1_SQRT_2,
        std::f64::consts::SQRT_2,
    ] {
        x.extend([near.next_down(), near, near.next_up()]);
    }
    x.extend([5e-324, f64::MAX]);
    for (&x, y) in x.iter().zip(ln_of(&x)) {
        assert!(ulps(y, x.ln()) <= 1, "ln({x:e}) = {y:e}, std {:e}", x.ln());
    }
}

#[test]
fn ln_of_special_values() {
    let inf = f64::INFINITY;
    assert_eq!(
        bits(&ln_of(&[0.0, -0.0, 1.0, inf])),
        bits(&[-inf, -inf, 0.0, inf])
    );
    let outside = [
        -5e-324,
        -f64::MIN_POSITIVE,
        -1.0,
        f64::MIN,
        -inf,
        f64::NAN,
        -f64::NAN,
    ];
    assert!(ln_of(&outside).iter().all(|y| y.is_nan()));
}

#[test]
fn the_scaled_forms_are_their_formula() {
    let mut rng = Pcg64::seed_from_u64(3);
    let x = uniform(&mut rng, -50.0, 50.0, 1001);
    let mut out = vec![f64::NAN; x.len()];
    for (scale, shift) in [(0.3, 7.0), (-2.5, -1.0), (40.0, 0.0)] {
        let arguments: Vec<f64> = x.iter().map(|x| (x - shift) * scale).collect();
        exp_scaled(&x, scale, shift, &mut out);
        assert_eq!(bits(&out), bits(&exp_of(&arguments)));

        let values = exp_of(&x);
        let expected: Vec<f64> = ln_of(&values).iter().map(|y| scale * y + shift).collect();
        ln_scaled(&values, scale, shift, &mut out);
        assert_eq!(bits(&out), bits(&expected));
    }
}

#[test]
fn the_scaled_forms_keep_hard_zeros() {
    let inf = f64::INFINITY;
    let mut out = [f64::NAN; 2];
    exp_scaled(&[-inf, 3.0], 0.5, 3.0, &mut out);
    assert_eq!(out, [0.0, 1.0]);
    exp_scaled(&[-inf, 3.0], -0.5, 3.0, &mut out);
    assert_eq!(out, [inf, 1.0]);
    exp_scaled(&[-inf, 3.0], 1.0, -inf, &mut out);
    assert!(
        out[0].is_nan() && out[1] == inf,
        "a shift of −∞ is refused as NaN: {out:?}"
    );
    ln_scaled(&[0.0, 1.0], 0.5, 3.0, &mut out);
    assert_eq!(out, [-inf, 3.0]);
    ln_scaled(&[0.0, inf], -0.5, 3.0, &mut out);
    assert_eq!(out, [inf, -inf]);
}

/// The element functions here are compiled for the baseline and run one element at a time.
#[test]
fn every_level_and_length_gives_the_bits_of_the_element_function() {
    let mut rng = Pcg64::seed_from_u64(4);
    let mut pool = SPECIAL.to_vec();
    pool.extend(uniform(&mut rng, -720.0, 720.0, 20_000));
    pool.extend(any_bits(&mut rng, 20_000));
    let lengths = (0..70).chain([1000, 40_001]);
    for len in lengths {
        let start = rng.random_range(0..=pool.len() - len);
        let x = &pool[start..start + len];
        let positive: Vec<f64> = x.iter().map(|x| x.abs()).collect();
        let exps: Vec<f64> = x.iter().map(|&x| exp(x)).collect();
        let lns: Vec<f64> = positive.iter().map(|&x| ln(x)).collect();
        let runs = at_each_level(|| {
            let mut in_place = x.to_vec();
            exp_in_place(&mut in_place);
            (exp_of(x), in_place, ln_of(&positive))
        });
        for (level, (sliced, in_place, logs)) in runs {
            assert!(same(&sliced, &exps), "exp_slice, {level:?}, length {len}");
            assert!(
                same(&in_place, &exps),
                "exp_in_place, {level:?}, length {len}"
            );
            assert!(same(&logs, &lns), "ln_slice, {level:?}, length {len}");
        }
    }
}

/// Equal bits; of a NaN, sign and payload are not specified.
fn same(a: &[f64], b: &[f64]) -> bool {
    let equal = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    a.len() == b.len() && a.iter().zip(b).all(equal)
}

#[test]
#[should_panic(expected = "one result for each element")]
fn slices_of_different_length_are_refused() {
    exp_slice(&[0.0; 3], &mut [0.0; 2]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn exp_is_monotone_near_zero(a in -0.3..0.3_f64, step in 0.0..1e-15_f64) {
        let y = exp_of(&[a, a.next_up(), a.next_up() + step, -a.abs(), a.abs()]);
        prop_assert!(y[0] <= y[1] && y[1] <= y[2], "{:?}", y);
        prop_assert!(y[3] <= 1.0 && 1.0 <= y[4], "{:?}", y);
    }

    #[test]
    fn ln_is_monotone_near_one(a in 0.75..1.4_f64, step in 0.0..1e-15_f64) {
        let y = ln_of(&[a, a.next_up(), a.next_up() + step]);
        prop_assert!(y[0] <= y[1] && y[1] <= y[2], "{:?}", y);
        prop_assert!((y[0] > 0.0) == (a > 1.0) && (y[0] < 0.0) == (a < 1.0), "{:?}", y);
    }
}
