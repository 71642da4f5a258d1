//! The wrong stores: what is wrong with each, and which cases find it.
//!
//! The first case is the one that names the fault. A `~` stands before a case that finds it only when a race comes out so.

use crate::wrong::is_rejected;

macro_rules! wrong_stores {
    ($($test:ident $fault:ident $text:literal [$($case:literal),* $(,)?];)+) => {
        /// What is wrong with a store.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum Fault {
            $($fault,)+
        }

        /// Each fault, in words, with the cases that find it.
        pub(crate) const WRONG: &[(Fault, &str, &[&str])] = &[$((Fault::$fault, $text, &[$($case),*]),)+];

        $(
            #[test]
            fn $test() {
                is_rejected(Fault::$fault);
            }
        )+
    };
}

wrong_stores! {
    wrong_store_ignores_the_version IgnoresTheVersion "ignores the version" [
        "fencing::the_same_token_at_another_version_is_stale",
        "by_hand::of_two_resends_of_one_row_the_second_is_stale",
    ];
    wrong_store_ignores_the_token IgnoresTheToken "ignores the token" [
        "fencing::the_same_version_under_another_token_is_stale",
    ];
    wrong_store_checks_then_inserts ChecksThenInserts "checks whether an id is taken, and then inserts" [
        "racing::of_many_that_publish_one_id_at_once_exactly_one_is_new",
        "racing::of_many_contents_under_one_id_at_once_one_is_stored_and_the_others_conflict",
        "racing::of_many_that_publish_with_one_key_at_once_exactly_one_is_new",
    ];
    wrong_store_writes_a_batch_in_steps WritesABatchInSteps "keeps what came before a conflict" [
        "insert::a_conflict_leaves_nothing_of_its_batch",
        "insert::one_id_with_two_contents_in_one_batch_is_a_conflict",
        "insert::the_batch_after_a_conflict_is_whole",
        "keys::a_batch_of_many_tenants_is_judged_as_a_batch_of_one_is",
        "keys::a_conflict_leaves_its_keys_free",
        "keys::the_same_key_with_two_contents_in_one_batch_is_a_conflict",
    ];
    wrong_store_keys_first_among_many KeysFirstAmongMany "judges a batch of many tenants by keys before ids" [
        "keys::a_batch_of_many_tenants_is_judged_as_a_batch_of_one_is",
    ];
    wrong_store_joins_tenant_and_key JoinsTenantAndKey "keeps tenant and key in one text" [
        "keys::tenant_and_key_do_not_run_into_each_other",
    ];
    wrong_store_takes_keys_in_any_case TakesKeysInAnyCase "compares keys without case" [
        "keys::keys_that_differ_in_case_or_by_a_blank_are_different",
    ];
    wrong_store_cuts_bodies_at_nul CutsBodiesAtNul "keeps bodies as text that ends at NUL" [
        "sizes::a_body_with_nul_comes_back",
        "sizes::a_body_of_every_byte_comes_back",
    ];
    wrong_store_hides_expired_leases HidesExpiredLeases "never gives back a row whose lease has ended" [
        "claim::a_leased_row_is_claimed_at_the_end_of_its_lease_and_not_a_millisecond_before",
        "apply::a_lost_attempt_is_logged_by_a_hand_back_too",
        "apply::every_column_of_a_row_is_written",
        "apply::the_row_of_a_lost_attempt_comes_first_in_the_same_step",
        "apply::two_lost_attempts_and_the_one_that_follows_are_three_rows",
        "claim::a_row_in_flight_whose_lease_has_ended_has_lost_one_lease_more",
        "claim::a_row_is_loaded_with_the_token_of_its_last_claim",
        "claim::a_row_that_was_born_leased_is_claimed_at_the_end_of_its_lease",
        "claim::the_same_token_again_leaves_out_what_another_claimed_meanwhile",
        "clock::a_lease_that_was_given_later_holds_for_an_earlier_now",
        "durable::a_lease_holds_through_a_restart",
        "durable::the_fence_holds_through_a_restart",
        "fairness::rows_whose_leases_ended_do_not_exceed_the_limit_either",
        "fencing::a_change_with_the_row_of_a_lost_attempt_may_come_again_too",
        "fencing::a_stale_change_does_not_stop_the_holder_of_the_lease",
        "fencing::a_stale_change_logs_nothing",
        "fencing::a_worker_that_lost_its_lease_writes_nothing",
        "fencing::the_same_token_at_another_version_is_stale",
        "next::a_row_whose_lease_has_ended_counts_as_eligible",
        "next::it_is_never_later_than_the_end_of_a_lease",
        "next::the_lease_of_an_endpoint_with_a_number_left_counts",
        "racing::claimers_of_an_ended_lease_at_once_get_each_row_once",
    ];
    wrong_store_counts_lost_leases_twice CountsLostLeasesTwice "counts a lost lease twice" [
        "claim::a_row_in_flight_whose_lease_has_ended_has_lost_one_lease_more",
        "apply::a_lost_attempt_is_logged_by_a_hand_back_too",
        "apply::every_column_of_a_row_is_written",
        "apply::the_row_of_a_lost_attempt_comes_first_in_the_same_step",
        "apply::two_lost_attempts_and_the_one_that_follows_are_three_rows",
        "claim::a_row_that_was_born_leased_is_claimed_at_the_end_of_its_lease",
        "durable::a_lease_holds_through_a_restart",
        "fencing::a_change_with_the_row_of_a_lost_attempt_may_come_again_too",
        "racing::claimers_of_an_ended_lease_at_once_get_each_row_once",
    ];
    wrong_store_forgets_what_a_token_got ForgetsWhatATokenGot "leases anew to a token that comes again" [
        "claim::the_same_token_again_leases_no_more",
        "cancel::a_dropped_claim_leases_whole_rows_or_none",
        "claim::the_same_token_again_leaves_out_what_was_settled_meanwhile",
        "claim::the_same_token_again_moves_no_lease",
        "claim::the_same_token_again_returns_the_same_rows",
        "durable::the_same_token_returns_the_same_rows_after_a_restart",
        "next::a_repeated_claim_is_told_about_what_came_meanwhile",
        "racing::claims_with_one_token_at_once_get_the_same_rows",
    ];
    wrong_store_claims_one_row_too_many ClaimsOneRowTooMany "claims one row more than the limit" [
        "fairness::a_claim_never_exceeds_its_limit",
        "apply::many_changes_in_one_call_are_all_written",
        "claim::rows_that_a_claim_did_not_take_are_as_they_were",
        "claim::the_same_token_again_leases_no_more",
        "fairness::a_lone_endpoint_fills_the_whole_claim",
        "fairness::rows_whose_leases_ended_do_not_exceed_the_limit_either",
        "fairness::what_was_due_an_hour_earlier_goes_first",
        "filters::deliveries_are_found_by_each_state",
        "filters::the_counts_follow_a_prune",
        "filters::the_counts_follow_every_change_of_state",
        "next::a_row_whose_lease_has_ended_counts_as_eligible",
        "next::eligible_rows_of_another_endpoint_count_too",
        "next::while_eligible_rows_remain_it_is_now",
        "racing::claims_with_one_token_at_once_get_the_same_rows",
    ];
    wrong_store_ignores_the_list_of_busy_endpoints IgnoresTheListOfBusyEndpoints "gives every endpoint the default number" [
        "fairness::a_busy_endpoint_gets_no_more_than_its_own_number",
        "fairness::a_full_endpoint_s_backlog_does_not_hide_another_s_row",
        "fairness::an_endpoint_that_was_left_out_is_served_once_it_has_a_number",
        "fairness::an_endpoint_whose_number_is_zero_gets_none",
        "fairness::numbers_of_endpoints_without_rows_are_harmless",
        "fairness::one_row_is_found_behind_many_full_endpoints",
        "fairness::with_a_default_of_zero_only_listed_endpoints_get_rows",
        "finding::a_delivery_that_came_through_in_the_end_is_found_by_no_reason",
        "finding::a_new_round_has_the_last_answer_of_the_one_before_until_its_own",
        "finding::deliveries_are_found_by_the_class_of_their_last_answer",
        "finding::deliveries_are_found_by_the_reason_of_their_last_attempt",
        "finding::no_filter_finds_another_tenant_s_rows",
        "finding::rows_that_come_while_somebody_pages_with_a_filter_neither_repeat_nor_hide_others",
        "finding::the_filters_hold_together",
    ];
    wrong_store_claims_by_due_time_alone ClaimsByDueTimeAlone "claims by due time alone, and starves" [
        "fairness::a_deep_backlog_does_not_keep_another_endpoint_s_only_row_waiting",
        "fairness::twenty_small_endpoints_are_served_beside_a_flooded_one",
    ];
    wrong_store_drops_full_endpoints_after_the_limit DropsFullEndpointsAfterTheLimit "takes the limit first and drops full endpoints then" [
        "fairness::a_full_endpoint_s_backlog_does_not_hide_another_s_row",
        "fairness::one_row_is_found_behind_many_full_endpoints",
    ];
    wrong_store_drops_an_excluded_endpoint DropsAnExcludedEndpoint "forgets an endpoint that it left out" [
        "fairness::an_endpoint_that_was_left_out_is_served_once_it_has_a_number",
        "finding::a_new_round_has_the_last_answer_of_the_one_before_until_its_own",
    ];
    wrong_store_counts_rows_beyond_the_number CountsRowsBeyondTheNumber "asks again at once for rows beyond the number: a hot loop" [
        "next::rows_beyond_an_endpoint_s_number_do_not_count",
        "next::an_endpoint_with_a_number_left_counts_beside_a_full_one",
        "next::rows_of_a_full_endpoint_do_not_count",
    ];
    wrong_store_sleeps_through_leases SleepsThroughLeases "does not count the ends of leases" [
        "next::it_is_never_later_than_the_end_of_a_lease",
        "next::a_row_whose_lease_has_ended_counts_as_eligible",
        "next::the_lease_of_an_endpoint_with_a_number_left_counts",
    ];
    wrong_store_reads_the_clock ReadsTheClock "reads the clock" [
        "clock::a_driver_whose_clock_is_far_off_is_believed_when_it_claims",
    ];
    wrong_store_writes_the_attempt_later WritesTheAttemptLater "writes the attempt in a step of its own" [
        "cancel::a_dropped_apply_writes_row_and_attempt_or_neither",
    ];
    wrong_store_logs_stale_attempts LogsStaleAttempts "logs the attempt of a stale change" [
        "fencing::a_stale_change_logs_nothing",
        "racing::of_many_changes_of_one_lease_at_once_exactly_one_is_applied",
    ];
    wrong_store_logs_no_lost_attempts LogsNoLostAttempts "logs no lost attempt" [
        "apply::the_row_of_a_lost_attempt_comes_first_in_the_same_step",
        "apply::a_lost_attempt_is_logged_by_a_hand_back_too",
        "apply::two_lost_attempts_and_the_one_that_follows_are_three_rows",
        "fencing::a_change_with_the_row_of_a_lost_attempt_may_come_again_too",
    ];
    wrong_store_reorders_outcomes ReordersOutcomes "answers in another order" [
        "apply::outcomes_come_in_the_order_of_the_changes",
        "apply::a_change_of_a_missing_row_does_not_stop_the_next",
        "apply::a_stale_change_does_not_stop_the_next",
    ];
    wrong_store_stops_at_the_first_stale StopsAtTheFirstStale "stops at the first stale change" [
        "apply::a_stale_change_does_not_stop_the_next",
        "apply::a_change_of_a_missing_row_does_not_stop_the_next",
        "apply::outcomes_come_in_the_order_of_the_changes",
    ];
    wrong_store_knows_only_the_last_change KnowsOnlyTheLastChange "knows a change again by the row's last one alone" [
        "fencing::a_change_whose_attempt_is_logged_counts_as_applied_after_later_changes",
    ];
    wrong_store_knows_no_repeated_change KnowsNoRepeatedChange "takes a repeated change for a stale one" [
        "fencing::a_change_that_comes_again_is_applied_and_changes_nothing",
        "cancel::a_dropped_apply_writes_row_and_attempt_or_neither",
        "durable::a_change_that_comes_again_after_a_restart_is_applied",
        "fencing::a_change_that_comes_again_logs_its_attempt_once",
        "fencing::a_change_twice_in_one_call_is_applied_once",
        "fencing::a_change_whose_attempt_is_logged_counts_as_applied_after_later_changes",
        "fencing::a_change_whose_attempt_is_logged_counts_as_applied_while_the_row_is_leased_again",
        "fencing::a_change_with_the_row_of_a_lost_attempt_may_come_again_too",
        "fencing::a_change_without_an_attempt_that_comes_again_is_applied",
        "racing::one_change_many_times_at_once_logs_its_attempt_once",
        "activity::a_change_that_comes_again_is_counted_once",
    ];
    wrong_store_sweeps_leased_rows SweepsLeasedRows "sweeps rows in flight" [
        "sweep::rows_in_flight_are_skipped",
        "~racing::a_cancel_and_a_claim_at_once_leave_each_row_to_one",
        "~racing::operators_and_workers_at_once_lose_no_attempt",
        "sweep::rows_in_flight_do_not_use_up_the_limit",
        "sweep::rows_in_flight_whose_lease_has_ended_are_skipped_too",
    ];
    wrong_store_sweeps_without_a_version SweepsWithoutAVersion "sweeps without a new version" [
        "sweep::each_moved_row_is_one_version_on",
        "cancel::a_dropped_sweep_leaves_sound_rows_and_may_be_repeated",
        "fencing::a_change_after_a_sweep_is_stale",
        "racing::sweeps_at_once_move_each_row_once",
    ];
    wrong_store_hold_forgets_the_due_time HoldForgetsTheDueTime "forgets the due time of a held row" [
        "sweep::hold_moves_scheduled_rows_to_held_and_keeps_their_due_time",
        "next::held_rows_do_not_count",
        "~racing::operators_and_workers_at_once_lose_no_attempt",
        "sweep::hold_holds_what_waits_for_its_retry_too",
        "sweep::release_moves_held_rows_to_scheduled_with_their_due_time",
    ];
    wrong_store_attach_writes_over_what_exists AttachWritesOverWhatExists "attaches over a delivery that exists" [
        "load::attach_leaves_rows_that_exist_as_they_are",
        "load::a_pair_that_comes_twice_in_one_attach_is_added_once",
        "load::attach_adds_what_is_missing_and_says_how_much",
        "load::attach_repeated_adds_nothing",
        "load::attach_to_a_thousand_endpoints_may_go_in_steps",
        "racing::attaching_one_pair_at_once_adds_it_once",
    ];
    wrong_store_stops_at_a_corrupt_row StopsAtACorruptRow "stops at a row that it cannot read" [
        "corrupt::an_unreadable_row_does_not_block_its_endpoint",
        "corrupt::an_unreadable_row_does_not_block_other_endpoints",
        "corrupt::an_unreadable_row_stops_no_other_from_being_settled",
    ];
    wrong_store_forgets_keys_on_reopen ForgetsKeysOnReopen "forgets idempotency keys on reopen" [
        "durable::ids_and_keys_are_taken_after_a_restart",
    ];
    wrong_store_forgets_claims_on_reopen ForgetsClaimsOnReopen "forgets on reopen what a token got" [
        "durable::the_same_token_returns_the_same_rows_after_a_restart",
    ];
    wrong_store_its_mark_stands_still ItsMarkStandsStill "has a mark that never changes" [
        "clock::a_publish_by_somebody_else_changes_the_mark",
        "clock::a_question_that_is_dropped_has_no_effect",
        "clock::a_sweep_by_somebody_else_changes_the_mark",
    ];
    wrong_store_subscribed_hides_disabled_endpoints SubscribedHidesDisabledEndpoints "hides disabled endpoints from publishers" [
        "endpoints::subscribed_finds_disabled_endpoints_too",
        "endpoints::an_endpoint_reads_back_in_every_field",
    ];
    wrong_store_replaces_without_comparing ReplacesWithoutComparing "replaces an endpoint whatever its version" [
        "endpoints::of_two_writers_who_read_the_same_version_the_second_loses",
        "endpoints::disabling_is_a_write_of_the_endpoint",
        "rotations::of_many_who_replace_one_version_at_once_exactly_one_wins",
        "~rotations::rotations_at_once_all_land",
    ];
    wrong_store_deletes_for_any_tenant DeletesForAnyTenant "deletes another tenant's endpoint" [
        "tenants::another_tenant_s_endpoint_is_not_deleted",
    ];
    wrong_store_the_default_tenant_sees_all TheDefaultTenantSeesAll "takes the default tenant for all" [
        "tenants::the_default_tenant_is_a_tenant_of_its_own",
        "tenants::no_tenant_is_a_wildcard",
        "finding::a_key_finds_the_event_of_its_tenant",
    ];
    wrong_store_pages_by_offset PagesByOffset "pages by offset" [
        "log::events_that_come_while_somebody_pages_neither_repeat_nor_hide_others",
        "durable::a_cursor_names_its_place_after_a_restart",
        "log::deliveries_that_come_while_somebody_pages_neither_repeat_nor_hide_others",
        "~rotations::pages_stay_whole_while_others_publish",
        "finding::rows_that_come_while_somebody_pages_with_a_filter_neither_repeat_nor_hide_others",
    ];
    wrong_store_since_is_exclusive SinceIsExclusive "takes `since` for `after`" [
        "filters::since_is_inclusive_and_until_is_not_for_events",
        "filters::a_row_must_pass_every_filter_of_a_delivery_query",
        "filters::a_row_must_pass_every_filter_of_an_event_query",
        "filters::since_is_inclusive_and_until_is_not_for_deliveries",
        "finding::the_filters_hold_together",
        "finding::the_filters_of_events_hold_together",
    ];
    wrong_store_prunes_a_moment_too_early PrunesAMomentTooEarly "prunes what ended just then" [
        "retention::an_event_goes_once_its_delivery_ended_before_the_time_and_not_at_it",
        "retention::a_cancelled_delivery_ended_when_it_was_cancelled",
        "retention::an_event_without_deliveries_goes_by_the_time_of_its_publish",
        "retention::the_last_of_its_deliveries_decides",
    ];
    wrong_store_keeps_the_keys_of_pruned_events KeepsTheKeysOfPrunedEvents "keeps the idempotency keys of pruned events" [
        "retention::a_pruned_event_s_id_and_key_are_free_again",
        "durable::what_was_pruned_stays_away_after_a_restart",
    ];
    wrong_store_bears_held_rows_scheduled BearsHeldRowsScheduled "makes deliveries due that are born held" [
        "insert::a_delivery_that_starts_held_is_born_held_with_its_due_time",
        "claim::a_held_row_is_never_claimed",
        "load::an_attached_row_starts_as_it_says",
        "sweep::release_frees_rows_that_were_born_held",
    ];
    wrong_store_answers_in_reverse AnswersInReverse "answers a batch in reverse" [
        "insert::answers_come_in_the_order_of_the_events",
        "insert::a_pair_that_comes_twice_counts_once_for_a_duplicate_in_its_batch",
        "insert::the_same_event_twice_in_one_batch_is_stored_once",
        "keys::a_batch_of_many_tenants_is_judged_as_a_batch_of_one_is",
        "keys::a_stored_id_decides_before_a_key_of_the_same_batch",
        "keys::the_same_key_twice_in_one_batch_is_a_duplicate_of_the_first",
    ];
    wrong_store_a_duplicate_adds_deliveries ADuplicateAddsDeliveries "adds a duplicate's deliveries to the first event" [
        "insert::a_duplicate_changes_nothing",
    ];
    wrong_store_selects_then_leases SelectsThenLeases "selects rows, and then leases them" [
        "racing::claimers_at_once_share_the_rows_and_each_goes_to_one",
        "~racing::a_cancel_and_a_claim_at_once_leave_each_row_to_one",
        "~racing::a_row_is_never_read_half_written",
        "racing::after_a_race_each_claimer_can_settle_all_that_it_got",
        "~racing::claimers_of_an_ended_lease_at_once_get_each_row_once",
        "~racing::of_a_late_worker_and_a_new_claim_at_once_one_wins_each_row",
        "~racing::operators_and_workers_at_once_lose_no_attempt",
        "~racing::publishers_and_claimers_at_once_miss_no_row",
    ];
    wrong_store_loads_a_hundred_rows_at_most LoadsAHundredRowsAtMost "loads a hundred rows and leaves out the rest" [
        "load::a_thousand_rows_are_loaded_at_once",
        "sizes::a_batch_of_a_thousand_events_is_stored_whole",
        "sizes::an_event_for_a_thousand_endpoints_is_stored_whole",
    ];
    wrong_store_each_handle_has_a_clock_of_its_own EachHandleHasAClockOfItsOwn "gives each process's own clock for the store's" [
        "clock::every_handle_tells_the_same_clock_or_none",
    ];
    wrong_store_reports_a_corrupt_row_again ReportsACorruptRowAgain "returns a corrupt row with every claim" [
        "corrupt::an_unreadable_row_is_not_handed_out_again",
    ];
    wrong_store_hides_a_corrupt_row HidesACorruptRow "leaves out what it cannot read, without a word" [
        "corrupt::an_unreadable_row_is_returned_as_corrupt",
        "corrupt::an_unreadable_row_is_not_handed_out_again",
        "corrupt::several_unreadable_rows_are_each_named",
    ];
    wrong_store_keeps_the_last_attempt_only KeepsTheLastAttemptOnly "keeps the last attempt alone" [
        "apply::earlier_attempts_stay_as_they_were",
        "apply::an_attempt_reads_back_with_all_its_columns",
        "apply::attempts_are_numbered_without_gaps",
        "apply::each_attempt_keeps_its_timing_to_the_microsecond",
        "fencing::a_change_whose_attempt_is_logged_counts_as_applied_after_later_changes",
        "log::attempts_are_read_by_number",
        "sweep::a_swept_row_keeps_its_attempts",
        "by_hand::a_round_goes_on_with_the_numbers_and_the_log_of_the_one_before",
    ];
    wrong_store_forgets_the_timing ForgetsTheTiming "forgets where an attempt's time went" [
        "apply::each_attempt_keeps_its_timing_to_the_microsecond",
    ];
    wrong_store_keeps_timings_in_milliseconds KeepsTimingsInMilliseconds "keeps where an attempt's time went in milliseconds" [
        "apply::each_attempt_keeps_its_timing_to_the_microsecond",
    ];
    wrong_store_keeps_responses_as_text KeepsResponsesAsText "keeps responses as text" [
        "sizes::a_response_of_every_byte_comes_back",
        "sizes::a_response_of_16_kib_comes_back",
    ];
    wrong_store_cancel_leaves_held_rows CancelLeavesHeldRows "leaves held rows when it cancels" [
        "sweep::cancel_ends_scheduled_and_held_rows_at_now",
        "sweep::a_repeated_sweep_moves_nothing",
        "sweep::each_moved_row_is_one_version_on",
    ];
    wrong_store_sweeps_without_a_limit SweepsWithoutALimit "sweeps all at once" [
        "sweep::a_sweep_moves_at_most_its_limit",
        "filters::the_counts_follow_every_change_of_state",
        "sweep::fewer_than_the_limit_says_that_none_is_left",
    ];
    wrong_store_sweeps_by_prefix SweepsByPrefix "sweeps every endpoint whose id begins so" [
        "sweep::rows_of_other_endpoints_stay_as_they_are",
    ];
    wrong_store_creates_over_what_exists CreatesOverWhatExists "creates over an endpoint that exists" [
        "endpoints::creating_an_endpoint_again_changes_nothing",
    ];
    wrong_store_cuts_long_descriptions CutsLongDescriptions "cuts long descriptions" [
        "sizes::an_endpoint_whose_fields_are_as_long_as_allowed_comes_back",
    ];
    wrong_store_lists_endpoints_by_their_names ListsEndpointsByTheirNames "lists endpoints by their names" [
        "endpoints::endpoints_are_listed_newest_first",
        "endpoints::a_list_goes_on_where_the_page_before_ended",
        "endpoints::a_replaced_endpoint_keeps_its_place_in_the_list",
        "endpoints::deleted_endpoints_are_not_listed",
        "tenants::endpoints_are_listed_for_their_tenant_only",
    ];
    wrong_store_deletes_deliveries_with_their_endpoint DeletesDeliveriesWithTheirEndpoint "deletes an endpoint's deliveries with it" [
        "endpoints::a_deleted_endpoint_s_deliveries_and_log_stay",
    ];
    wrong_store_sorts_deliveries_by_endpoint SortsDeliveriesByEndpoint "sorts an event's deliveries by endpoint" [
        "log::an_event_is_read_with_its_deliveries_in_the_order_of_their_creation",
    ];
    wrong_store_escapes_quotes_twice EscapesQuotesTwice "escapes quotes in names twice" [
        "tenants::a_tenant_with_an_odd_name_has_its_events",
    ];
    wrong_store_prunes_one_event_too_many PrunesOneEventTooMany "prunes one event more than the limit" [
        "retention::pruning_goes_in_steps_of_its_limit",
        "log::rows_that_are_pruned_while_somebody_pages_hide_no_others",
    ];
    wrong_store_reads_attempts_newest_first ReadsAttemptsNewestFirst "reads attempts newest first" [
        "log::attempts_are_read_by_number",
        "apply::an_attempt_reads_back_with_all_its_columns",
        "apply::attempts_are_numbered_without_gaps",
        "apply::each_attempt_keeps_its_timing_to_the_microsecond",
        "apply::earlier_attempts_stay_as_they_were",
        "apply::the_row_of_a_lost_attempt_comes_first_in_the_same_step",
        "apply::two_lost_attempts_and_the_one_that_follows_are_three_rows",
        "fencing::a_change_with_the_row_of_a_lost_attempt_may_come_again_too",
        "sweep::a_swept_row_keeps_its_attempts",
        "by_hand::a_round_goes_on_with_the_numbers_and_the_log_of_the_one_before",
    ];
    wrong_store_lists_deliveries_of_all_tenants ListsDeliveriesOfAllTenants "lists the deliveries of all tenants" [
        "tenants::a_tenant_s_list_of_deliveries_shows_its_own",
        "tenants::a_tenant_with_an_odd_name_has_its_events",
        "tenants::no_tenant_is_a_wildcard",
        "tenants::the_default_tenant_is_a_tenant_of_its_own",
        "finding::no_filter_finds_another_tenant_s_rows",
    ];
    wrong_store_orders_events_by_their_time OrdersEventsByTheirTime "orders events by the time of their publish" [
        "log::newest_is_what_was_inserted_last",
    ];
    wrong_store_counts_a_repeated_change_again CountsARepeatedChangeAgain "counts a change that comes again once more" [
        "activity::a_change_that_comes_again_is_counted_once",
    ];
    wrong_store_never_sees_an_endpoint_recover NeverSeesAnEndpointRecover "never forgets that an endpoint failed" [
        "activity::an_endpoint_fails_since_its_first_failure_until_its_next_success",
    ];
    wrong_store_leaves_an_opened_row_out LeavesAnOpenedRowOut "never claims a row that was opened again" [
        "by_hand::an_ended_row_that_is_opened_again_is_claimed_in_its_next_round",
        "by_hand::a_round_goes_on_with_the_numbers_and_the_log_of_the_one_before",
        "by_hand::an_ended_row_that_is_opened_while_its_endpoint_is_disabled_is_held",
        "finding::a_new_round_has_the_last_answer_of_the_one_before_until_its_own",
    ];
    wrong_store_finds_the_reason_of_any_attempt FindsTheReasonOfAnyAttempt "finds deliveries by the reason of any attempt" [
        "finding::a_delivery_that_came_through_in_the_end_is_found_by_no_reason",
        "finding::deliveries_are_found_by_the_reason_of_their_last_attempt",
    ];
    wrong_store_forgets_the_answer_with_the_round ForgetsTheAnswerWithTheRound "forgets the last answer where a round begins" [
        "finding::a_new_round_has_the_last_answer_of_the_one_before_until_its_own",
    ];
    wrong_store_ignores_the_class_beside_a_state IgnoresTheClassBesideAState "ignores the class of the answer where a state is asked for" [
        "finding::the_filters_hold_together",
    ];
    wrong_store_takes_tests_for_live_events TakesTestsForLiveEvents "takes tests for live events" [
        "finding::tests_are_told_from_live_events",
        "finding::deliveries_have_the_purpose_of_their_event",
        "finding::no_filter_finds_another_tenant_s_rows",
        "finding::the_filters_of_events_hold_together",
    ];
    wrong_store_finds_keys_of_all_tenants FindsKeysOfAllTenants "finds an event by another tenant's key" [
        "finding::a_key_finds_the_event_of_its_tenant",
    ];
    wrong_store_takes_the_rows_it_looks_at_for_all TakesTheRowsItLooksAtForAll "takes the hundred rows that it looks at for all" [
        "finding::pages_go_on_past_rows_that_do_not_match",
    ];
    wrong_store_finds_held_on_the_first_page_alone FindsHeldOnTheFirstPageAlone "tells of the first tenant with held deliveries alone" [
        "log::each_tenant_with_held_deliveries_is_found_and_no_other",
    ];
}
