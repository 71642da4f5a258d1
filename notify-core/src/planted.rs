//! Faults that are planted to see whether the simulator finds them. Outside this crate's own tests each site is the
//! constant `false`: nothing of this is in a build that anybody uses.

#[cfg(not(test))]
macro_rules! planted {
    ($fault:ident) => {
        $crate::planted::never()
    };
}

/// Not the word `false` at each site, or every condition with one would look as if it could be shorter.
#[cfg(not(test))]
#[inline]
pub(crate) const fn never() -> bool {
    false
}

#[cfg(test)]
macro_rules! planted {
    ($fault:ident) => {
        $crate::planted::is_planted($crate::planted::Fault::$fault)
    };
}

#[cfg(test)]
pub(crate) use chosen::{Fault, is_planted, plant};

#[cfg(test)]
mod chosen {
    use std::cell::Cell;

    thread_local! {
        static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
    }

    macro_rules! faults {
        ($($(#[doc = $doc:literal])* $name:ident,)*) => {
            /// One fault; its documentation says what is wrong then.
            #[derive(Clone, Copy, Debug, Eq, PartialEq)]
            pub(crate) enum Fault {
                $($(#[doc = $doc])* $name,)*
            }

            impl Fault {
                pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

                pub(crate) const fn sentence(self) -> &'static str {
                    match self { $(Self::$name => concat!($($doc),*),)* }
                }
            }
        };
    }

    faults! {
        /// a delay runs from the start of the attempt
        DelayFromStart,
        /// the first delay of the schedule is skipped
        OffByOne,
        /// there is one attempt more than the schedule has
        OneTooMany,
        /// a lost lease burns a retry
        LossBurnsRetry,
        /// a failure is not counted
        FailureNotCounted,
        /// a lost attempt has no row
        LossNotLogged,
        /// a disabled endpoint gets its attempts
        DisabledForgotten,
        /// an interrupted attempt burns a retry
        InterruptionBurnsRetry,
        /// a delivery that kills its worker is never given up
        NeverGivesUp,
        /// a delivery that was lost often is sent without a wait
        LossWaitSkipped,
        /// a success is sent again
        SuccessSentAgain,
        /// a change leaves the version as it is
        VersionNotRaised,
        /// attempts are numbered from 1 in each change
        NumbersBeginAgain,
        /// every 2xx is a success
        EverySuccess,
        /// jitter goes down
        JitterDown,
        /// the secret that is being retired signs the main header
        OldSecretSigns,
        /// the signed second is ten minutes off
        WrongSecond,
        /// a disabled endpoint's delivery is born due
        BornDue,
        /// every endpoint gets every event
        FilterIgnored,
        /// one event has one delivery id
        IdWithoutEndpoint,
        /// apply does not look at the token
        NoTokenCheck,
        /// apply looks at neither version nor token
        NoFence,
        /// a claim that is repeated leases more
        ClaimNotRepeatable,
        /// rows are claimed five seconds early
        ClaimedEarly,
        /// a claim ignores how many an endpoint may get
        FreeIgnored,
        /// the first endpoint is served until it is empty
        Starves,
        /// the store's next time forgets leased rows
        LeaseEndForgotten,
        /// apply forgets the log rows
        LogForgotten,
        /// a row that leaves a queue stays in it
        RemovedFromNoQueue,
        /// events with open deliveries are pruned
        RetentionTooEarly,
        /// other content under the same id is taken for a duplicate
        ConflictForgotten,
        /// a sweep moves leased rows
        SweepTouchesLeased,
        /// a claim of a row in flight is no lost lease
        LossNotCounted,
        /// what woke while a claim ran is forgotten
        WakeUpLost,
        /// an attempt may outlive its lease
        SendsTooLate,
        /// a slot is not freed when its attempt ends
        SlotKept,
        /// an endpoint that was read stays valid
        EndpointCached,
        /// a failed apply is not repeated
        ApplyNotRepeated,
        /// a failed claim is repeated with another token
        ClaimTokenRenewed,
        /// nobody finds out what became of a doubtful publish
        DoubtForgotten,
        /// a delivery that must go alone goes with others
        SoloForgotten,
        /// claims go on while outcomes cannot be written
        BufferUnbounded,
        /// a stop forgets what was not sent
        HandBackForgotten,
        /// a stopping engine claims
        ClaimsWhileStopping,
        /// a store that is away is asked again at once
        NoBackoff,
        /// the engine's time follows its reference back
        ClockGoesBack,
        /// the engine's time is never compared with its reference
        NeverCorrected,
        /// a time that is ahead is not slowed down
        NeverSlowed,
        /// an endpoint that was served keeps its turn
        TurnKept,
        /// an endpoint's own schedule is ignored
        OwnScheduleIgnored,
        /// an endpoint's timeout is not cut to the engine's
        TimeoutNotCut,
        /// a place that is not needed stays taken
        PlaceKept,
        /// a place of a doubtful publish stays taken
        DoubtKeepsPlace,
        /// a delivery that is sent again by hand has no fresh budget
        NoFreshBudget,
        /// an idempotency key is not kept
        KeyForgotten,
        /// a sweep that cancels leaves what is held
        HeldNotCancelled,
        /// secrets that a receiver sends back are logged
        SentBackIsLogged,
    }

    /// Plants `fault`, or none, for this thread.
    pub(crate) fn plant(fault: Option<Fault>) {
        PLANTED.set(fault);
    }

    pub(crate) fn is_planted(fault: Fault) -> bool {
        PLANTED.get() == Some(fault)
    }
}
