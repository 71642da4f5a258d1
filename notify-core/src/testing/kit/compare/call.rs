//! The calls of a sequence, and which may follow which.

use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any};
use proptest::prop_oneof;
use proptest::sample::select;
use proptest_state_machine::ReferenceStateMachine;

use crate::store::SweepAction;

/// How many event ids, endpoints, tenants and idempotency keys there are: few, so that they meet.
pub(super) const EVENTS: usize = 6;
pub(super) const ENDPOINTS: usize = 3;
pub(super) const TENANTS: usize = 2;
const KEYS: usize = 3;

/// One call, in terms of what came before it: numbers are taken modulo what there is.
#[derive(Clone, Debug)]
pub(super) enum Call {
    /// Time passes, or the clock goes back; in milliseconds.
    Pass(i64),
    /// An insert.
    Publish(Vec<Publish>),
    /// A claim with a new token that takes all that is due, but for these endpoints.
    Claim { excluded: Vec<usize> },
    /// The last claim that got rows once more, while its lease lasts.
    ClaimAgain,
    /// An apply: of each of these rows that were claimed once, what became of it.
    Settle(Vec<(usize, Fate)>),
    /// An apply of a change that was made before.
    SettleAgain(usize),
    /// A sweep of one endpoint.
    Sweep(usize, usize, SweepAction),
    /// An attach of one delivery to an event that may not exist.
    Attach { tenant: usize, event: usize, endpoint: usize, start: Birth },
    /// A prune of what ended so long ago.
    Prune(i64),
    /// A write of one endpoint.
    Endpoint(usize, usize, Write),
    /// All that can be read is read.
    Read,
}

#[derive(Clone, Debug)]
pub(super) struct Publish {
    pub(super) tenant: usize,
    pub(super) event: usize,
    pub(super) content: u32,
    pub(super) key: Option<usize>,
    pub(super) deliveries: Vec<(usize, Birth)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Birth {
    Due(i64),
    Leased(i64),
    Held(i64),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Delivered,
    Failed,
    Refused,
    HandedBack,
    Disabled,
    Gone,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Write {
    Create,
    /// Expecting the version that it has, or one before.
    Replace(u64),
    Disable,
    Delete,
}

/// Which calls make sense: there must be something to settle.
#[derive(Debug)]
pub(super) struct Calls;

/// What calls were made so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Made {
    claims: usize,
    settles: usize,
}

impl ReferenceStateMachine for Calls {
    type State = Made;
    type Transition = Call;

    fn init_state() -> BoxedStrategy<Made> {
        Just(Made::default()).boxed()
    }

    fn transitions(_: &Made) -> BoxedStrategy<Call> {
        let settled = vec((any::<usize>(), fate()), 1..5);
        let sweep = select(vec![SweepAction::Hold, SweepAction::Release, SweepAction::Cancel]);
        prop_oneof![
            3 => (-2_000_i64..40_000).prop_map(Call::Pass),
            6 => vec(publish(), 1..4).prop_map(Call::Publish),
            5 => vec(0..ENDPOINTS * TENANTS, 0..3).prop_map(|excluded| Call::Claim { excluded }),
            1 => Just(Call::ClaimAgain),
            6 => settled.prop_map(Call::Settle),
            2 => any::<usize>().prop_map(Call::SettleAgain),
            2 => (0..TENANTS, 0..ENDPOINTS, sweep).prop_map(|(tenant, endpoint, action)| Call::Sweep(tenant, endpoint, action)),
            2 => (0..TENANTS, 0..EVENTS, 0..ENDPOINTS, birth())
                .prop_map(|(tenant, event, endpoint, start)| Call::Attach { tenant, event, endpoint, start }),
            1 => (0_i64..60_000).prop_map(Call::Prune),
            2 => (0..TENANTS, 0..ENDPOINTS, write()).prop_map(|(tenant, endpoint, write)| Call::Endpoint(tenant, endpoint, write)),
            1 => Just(Call::Read),
        ]
        .boxed()
    }

    fn apply(mut made: Made, call: &Call) -> Made {
        match call {
            Call::Claim { .. } => made.claims += 1,
            Call::Settle(_) => made.settles += 1,
            Call::Pass(_)
            | Call::Publish(_)
            | Call::ClaimAgain
            | Call::SettleAgain(_)
            | Call::Sweep(..)
            | Call::Attach { .. }
            | Call::Prune(_)
            | Call::Endpoint(..)
            | Call::Read => {}
        }
        made
    }

    fn preconditions(made: &Made, call: &Call) -> bool {
        match call {
            Call::ClaimAgain | Call::Settle(_) => made.claims > 0,
            Call::SettleAgain(_) => made.settles > 0,
            Call::Pass(_)
            | Call::Publish(_)
            | Call::Claim { .. }
            | Call::Sweep(..)
            | Call::Attach { .. }
            | Call::Prune(_)
            | Call::Endpoint(..)
            | Call::Read => true,
        }
    }
}

fn publish() -> impl Strategy<Value = Publish> {
    let key = proptest::option::weighted(0.3, 0..KEYS);
    (0..TENANTS, 0..EVENTS, 0..2_u32, key, vec((0..ENDPOINTS, birth()), 0..4))
        .prop_map(|(tenant, event, content, key, deliveries)| Publish { tenant, event, content, key, deliveries })
}

fn birth() -> impl Strategy<Value = Birth> {
    let after = -5_000_i64..5_000;
    prop_oneof![
        6 => after.clone().prop_map(Birth::Due),
        1 => after.clone().prop_map(Birth::Leased),
        1 => after.prop_map(Birth::Held),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    select(vec![Fate::Delivered, Fate::Failed, Fate::Refused, Fate::HandedBack, Fate::Disabled, Fate::Gone])
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        3 => Just(Write::Create),
        3 => (0..2_u64).prop_map(Write::Replace),
        1 => Just(Write::Disable),
        1 => Just(Write::Delete),
    ]
}
