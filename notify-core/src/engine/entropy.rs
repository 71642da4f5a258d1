//! Randomness: the one place that draws it.

use std::fmt::Debug;
use std::io;

/// Random bytes: for ids, secrets, and the tokens that fence claims.
pub trait Entropy: Debug + Send + Sync + 'static {
    /// Fills `bytes` with unpredictable bytes.
    ///
    /// # Errors
    /// The source gives none.
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()>;
}

/// The operating system's randomness.
#[cfg(feature = "os-rng")]
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

#[cfg(feature = "os-rng")]
impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place that draws randomness")]
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        getrandom::fill(bytes).map_err(io::Error::other)
    }
}

/// An array of random bytes.
pub(super) fn draw<const N: usize>(entropy: &dyn Entropy) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}
