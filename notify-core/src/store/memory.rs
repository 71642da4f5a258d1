//! mem
/// x
#[derive(Debug)]
pub struct MemoryStore;
