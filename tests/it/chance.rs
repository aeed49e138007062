//! Randomness that a seed repeats.

/// The seed of this run, printed; `VERMILION_SEED` sets it.
pub(crate) fn seed() -> u64 {
    let given =
        std::env::var("VERMILION_SEED").ok().map(|seed| seed.parse().expect("VERMILION_SEED is a number"));
    let fresh = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::from(since.subsec_nanos())
    };
    let seed = given.unwrap_or_else(fresh);
    println!("VERMILION_SEED={seed}");
    seed
}

/// Numbers that look random (xorshift64*).
pub(crate) struct Chance(u64);

impl Chance {
    /// From a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}
