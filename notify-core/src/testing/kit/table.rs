//! The one table of rules, sentences and cases, of which the list, the tests and the report are made.

/// Hands the table to the macro that is named. For [`store_conformance!`](crate::store_conformance) and for the list
/// below, so that neither can lack what the other has.
#[doc(hidden)]
#[macro_export]
macro_rules! __notify_store_cases {
    ($($then:tt)+) => {
        $($then)+! {
            insert {
                "S1" "Stores events with their deliveries":
                    a_new_event_is_stored_with_its_deliveries, an_event_that_matches_no_endpoint_is_stored,
                    a_delivery_that_starts_due_is_born_scheduled,
                    a_delivery_that_starts_leased_is_born_in_flight_under_its_token,
                    a_delivery_that_starts_held_is_born_held_with_its_due_time,
                    a_pair_of_event_and_endpoint_that_comes_twice_is_one_delivery,
                    a_pair_that_comes_twice_counts_once_for_a_duplicate_in_its_batch;
                "S1" "All or nothing for one batch, with an answer for each event":
                    an_empty_batch_is_a_success, answers_come_in_the_order_of_the_events;
                "S1" "An event whose id its tenant already has is a duplicate if the fingerprints are equal: it changes nothing and does not stop the others":
                    the_same_id_with_the_same_content_is_a_duplicate_that_names_the_first,
                    a_duplicate_changes_nothing, a_duplicate_of_a_delivered_event_is_not_sent_again,
                    a_duplicate_does_not_stop_the_others_of_its_batch,
                    the_same_event_twice_in_one_batch_is_stored_once;
                "S1" "With another fingerprint it is a conflict: nothing of the batch is written":
                    the_same_id_with_other_content_is_a_conflict, a_conflict_leaves_nothing_of_its_batch,
                    a_conflict_leaves_the_stored_event_as_it_is, one_id_with_two_contents_in_one_batch_is_a_conflict,
                    the_batch_after_a_conflict_is_whole;
            }
            keys {
                "S1" "The same holds for an event whose idempotency key its tenant already has":
                    the_same_key_with_the_same_content_is_a_duplicate_whatever_the_id,
                    the_same_key_with_other_content_is_a_conflict,
                    the_same_key_twice_in_one_batch_is_a_duplicate_of_the_first,
                    the_same_key_with_two_contents_in_one_batch_is_a_conflict, a_conflict_leaves_its_keys_free,
                    a_duplicate_by_its_id_leaves_its_key_free, a_stored_id_decides_before_a_key_of_the_same_batch,
                    a_batch_of_many_tenants_is_judged_as_a_batch_of_one_is,
                    where_id_and_key_name_two_events_the_id_decides, events_without_a_key_never_meet,
                    a_key_says_which_event_was_first_also_when_that_has_ended;
                "S1" "Ids and keys are unique for their tenant, and equal to the letter":
                    keys_that_differ_in_case_or_by_a_blank_are_different, a_key_is_no_id,
                    ids_and_keys_are_unique_for_their_tenant_only, tenant_and_key_do_not_run_into_each_other,
                    a_key_is_as_long_as_the_contract_allows;
            }
            claim {
                "S2" "A row may be claimed if and only if its state is scheduled or in flight and `ready_at <= now`":
                    a_scheduled_row_is_claimed_at_its_due_time_and_not_a_millisecond_before,
                    a_leased_row_is_claimed_at_the_end_of_its_lease_and_not_a_millisecond_before,
                    a_row_that_was_born_leased_is_claimed_at_the_end_of_its_lease, a_held_row_is_never_claimed,
                    a_delivered_row_is_never_claimed_again, a_failed_row_is_never_claimed_again,
                    a_cancelled_row_is_never_claimed_again,
                    a_row_that_waits_for_its_retry_is_claimed_at_its_retry_time,
                    a_row_that_was_handed_back_is_claimed_again_at_once;
                "S3" "A claimed row is in flight, its `ready_at` is `lease_until`, its version is one higher":
                    a_claimed_row_is_in_flight_until_the_lease_ends_one_version_on,
                    what_a_claim_returns_is_what_it_wrote, a_row_is_loaded_with_the_token_of_its_last_claim,
                    rows_that_a_claim_did_not_take_are_as_they_were, a_claimed_row_comes_with_its_event;
                "S3" "If it was in flight before, it has lost one lease more":
                    a_row_in_flight_whose_lease_has_ended_has_lost_one_lease_more,
                    a_row_that_was_settled_in_time_has_lost_no_lease;
                "S3" "No row goes to two claims at one version":
                    no_row_goes_to_two_claims;
                "S3" "The same token again returns the same rows and leases no more":
                    the_same_token_again_returns_the_same_rows, the_same_token_again_leases_no_more,
                    the_same_token_again_moves_no_lease, the_same_token_again_leaves_out_what_was_settled_meanwhile,
                    the_same_token_again_leaves_out_what_another_claimed_meanwhile;
            }
            fairness {
                "S4" "Roughly in order of `ready_at`":
                    what_was_due_an_hour_earlier_goes_first;
                "S4" "Never more than `limit`":
                    a_claim_never_exceeds_its_limit, rows_whose_leases_ended_do_not_exceed_the_limit_either,
                    a_lone_endpoint_fills_the_whole_claim;
                "S4" "Never more for an endpoint than `Free` says":
                    an_endpoint_that_is_not_listed_gets_no_more_than_the_default_number,
                    a_busy_endpoint_gets_no_more_than_its_own_number, an_endpoint_whose_number_is_zero_gets_none,
                    with_a_default_of_zero_only_listed_endpoints_get_rows,
                    an_endpoint_that_was_left_out_is_served_once_it_has_a_number,
                    rows_beyond_an_endpoint_s_number_wait_for_the_next_claim,
                    numbers_of_endpoints_without_rows_are_harmless;
                "S4" "At least one row if any is eligible, however deep another endpoint's backlog":
                    a_deep_backlog_does_not_keep_another_endpoint_s_only_row_waiting,
                    a_full_endpoint_s_backlog_does_not_hide_another_s_row,
                    one_row_is_found_behind_many_full_endpoints,
                    one_row_is_found_behind_many_endpoints_whose_rows_have_ended,
                    twenty_small_endpoints_are_served_beside_a_flooded_one,
                    with_one_row_a_claim_every_endpoint_gets_its_turn,
                    an_endpoint_that_joins_late_does_not_starve_the_others, a_claim_serves_all_tenants,
                    at_least_one_row_comes_while_any_is_eligible;
            }
            next {
                "S5" "`next_ready_at` is `now` if eligible rows remain":
                    while_eligible_rows_remain_it_is_now, eligible_rows_of_another_endpoint_count_too,
                    a_row_whose_lease_has_ended_counts_as_eligible,
                    a_repeated_claim_is_told_about_what_came_meanwhile;
                "S5" "Else never later than the earliest row of an endpoint with a free number left":
                    it_is_never_later_than_the_next_due_time, it_is_never_later_than_the_end_of_a_lease,
                    it_is_never_later_than_a_retry, a_row_that_came_meanwhile_is_seen,
                    an_endpoint_with_a_number_left_counts_beside_a_full_one,
                    the_lease_of_an_endpoint_with_a_number_left_counts;
                "S5" "`None` if there is none":
                    an_empty_store_says_nothing, a_settled_lease_leaves_no_wake_up_behind, held_rows_do_not_count,
                    cancelled_rows_do_not_count;
                "S5" "Rows beyond an endpoint's number do not count":
                    rows_beyond_an_endpoint_s_number_do_not_count, rows_of_a_full_endpoint_do_not_count,
                    rows_to_come_of_a_full_endpoint_do_not_count;
            }
            apply {
                "S6" "Row and log rows are written in one atomic step":
                    a_change_writes_the_row_and_its_attempt_together, every_column_of_a_row_is_written,
                    an_attempt_reads_back_with_all_its_columns, each_attempt_keeps_its_timing_to_the_microsecond,
                    a_change_without_an_attempt_logs_none, a_row_is_held_where_its_endpoint_is_disabled,
                    an_interrupted_attempt_is_logged_and_due_again_at_once, an_ended_row_keeps_the_time_of_its_end;
                "S6" "The row of a lost attempt is written first, in the same step as the next change":
                    the_row_of_a_lost_attempt_comes_first_in_the_same_step,
                    a_lost_attempt_is_logged_by_a_hand_back_too,
                    two_lost_attempts_and_the_one_that_follows_are_three_rows;
                "S6" "Outcomes come in the order of the input":
                    outcomes_come_in_the_order_of_the_changes, a_call_without_changes_is_a_success,
                    many_changes_in_one_call_are_all_written;
                "S7" "The changes of one call do not depend on each other: one that is stale does not stop the next":
                    a_stale_change_does_not_stop_the_next, a_change_of_a_missing_row_does_not_stop_the_next,
                    two_changes_of_one_row_in_one_call_leave_the_first;
                "S8" "Log rows are append-only, numbered 1..n without gaps":
                    attempts_are_numbered_without_gaps, earlier_attempts_stay_as_they_were,
                    each_delivery_has_attempts_of_its_own;
            }
            fencing {
                "S6" "If and only if the version is the one that the change expects; else `Stale`":
                    a_worker_that_lost_its_lease_writes_nothing, a_stale_change_logs_nothing,
                    a_stale_change_does_not_stop_the_holder_of_the_lease, the_same_token_at_another_version_is_stale,
                    a_change_after_a_sweep_is_stale, a_change_of_an_ended_row_is_stale,
                    a_worker_whose_lease_ended_may_write_until_another_claims,
                    a_change_of_a_row_that_was_pruned_is_missing;
                "S6" "And, for a leased row, if and only if the token is the one that the change expects":
                    the_same_version_under_another_token_is_stale,
                    a_row_that_was_born_leased_is_settled_under_its_token;
                "S6" "The same change again answers `Applied` if it is the row's last change":
                    a_change_that_comes_again_is_applied_and_changes_nothing,
                    a_change_twice_in_one_call_is_applied_once,
                    a_change_without_an_attempt_that_comes_again_is_applied;
                "S6" "Or if its log row exists already, else `Stale`":
                    a_change_that_comes_again_logs_its_attempt_once,
                    a_change_whose_attempt_is_logged_counts_as_applied_after_later_changes,
                    a_change_whose_attempt_is_logged_counts_as_applied_while_the_row_is_leased_again,
                    a_change_without_an_attempt_is_stale_once_another_followed_it,
                    a_change_with_the_row_of_a_lost_attempt_may_come_again_too,
                    a_change_s_id_says_nothing_about_another_row;
            }
            load {
                "load" "The deliveries with these ids, in any order; those that do not exist are left out":
                    rows_that_do_not_exist_are_left_out, loading_nothing_finds_nothing,
                    a_thousand_rows_are_loaded_at_once, rows_of_several_tenants_are_loaded_together,
                    loading_changes_nothing;
                "S14" "`attach` adds deliveries to a stored event and says how many are new":
                    attach_adds_what_is_missing_and_says_how_much, an_attached_row_starts_as_it_says,
                    an_attached_row_was_published_with_its_event, an_attached_row_is_claimed_with_its_event,
                    an_attached_row_is_one_of_the_event_s_deliveries, attach_refuses_an_event_that_does_not_exist,
                    attach_refuses_another_tenant_s_event;
                "S14" "Pairs of event and endpoint that exist are skipped, so it may be repeated":
                    attach_repeated_adds_nothing, a_pair_that_comes_twice_in_one_attach_is_added_once,
                    attach_leaves_rows_that_exist_as_they_are, attach_to_a_thousand_endpoints_may_go_in_steps;
            }
            sweep {
                "S14" "`Hold` moves scheduled rows to held, keeping their due time":
                    hold_moves_scheduled_rows_to_held_and_keeps_their_due_time, hold_holds_what_is_overdue_too,
                    hold_holds_what_waits_for_its_retry_too, a_swept_row_keeps_its_attempts;
                "S14" "`Release` held rows to scheduled":
                    release_moves_held_rows_to_scheduled_with_their_due_time, release_frees_rows_that_were_born_held;
                "S14" "`Cancel` scheduled and held rows to cancelled, ended at `now`":
                    cancel_ends_scheduled_and_held_rows_at_now, a_row_that_was_handed_back_is_swept_like_any_other;
                "S14" "Rows in flight are skipped":
                    rows_in_flight_are_skipped, rows_in_flight_whose_lease_has_ended_are_skipped_too,
                    rows_in_flight_do_not_use_up_the_limit;
                "S14" "Moves one endpoint's open rows":
                    ended_rows_stay_as_they_are, rows_of_other_endpoints_stay_as_they_are,
                    an_endpoint_without_rows_has_nothing_to_move, what_comes_after_a_sweep_is_not_swept;
                "S14" "Each moved row is one version on":
                    each_moved_row_is_one_version_on;
                "S14" "At most `limit` rows a call; it may be repeated":
                    a_sweep_moves_at_most_its_limit, fewer_than_the_limit_says_that_none_is_left,
                    a_repeated_sweep_moves_nothing;
            }
            clock {
                "S10" "No method but `time` reads a clock":
                    a_driver_whose_clock_is_far_off_is_believed_when_it_claims,
                    a_driver_whose_clock_is_far_off_is_believed_when_it_writes;
                "S10" "`now` going backwards is harmless":
                    a_now_that_goes_back_claims_nothing_early, a_lease_that_was_given_later_holds_for_an_earlier_now,
                    an_event_that_is_published_earlier_than_the_last_is_stored,
                    a_row_is_settled_at_a_time_before_its_claim;
                "changed" "A hint whether somebody else may have written since: equal marks = nobody":
                    a_publish_by_somebody_else_changes_the_mark, a_sweep_by_somebody_else_changes_the_mark;
                "changed" "Dropping it has no effect":
                    a_question_that_is_dropped_has_no_effect;
                "time" "The store's own clock, if it has one that its users share":
                    every_handle_tells_the_same_clock_or_none;
            }
            cancel {
                "S11" "A dropped future has done all of its work or nothing":
                    a_dropped_insert_stores_all_or_nothing, a_dropped_insert_that_is_repeated_is_new_or_a_duplicate,
                    a_dropped_claim_leases_whole_rows_or_none, a_dropped_apply_writes_row_and_attempt_or_neither,
                    a_dropped_sweep_leaves_sound_rows_and_may_be_repeated, a_dropped_attach_adds_all_or_nothing;
            }
            durable {
                "S9" "What a method did is durable when it returns":
                    a_published_row_is_claimed_after_a_restart, ids_and_keys_are_taken_after_a_restart,
                    a_lease_holds_through_a_restart, the_holder_of_a_lease_may_write_after_a_restart,
                    the_same_token_returns_the_same_rows_after_a_restart,
                    a_settled_row_and_its_attempts_stay_through_a_restart, a_retry_is_due_at_its_time_after_a_restart,
                    a_change_that_comes_again_after_a_restart_is_applied, the_fence_holds_through_a_restart,
                    held_and_cancelled_rows_stay_so_through_a_restart, an_attached_row_is_there_after_a_restart,
                    endpoints_are_there_after_a_restart, a_cursor_names_its_place_after_a_restart,
                    what_was_pruned_stays_away_after_a_restart;
            }
            corrupt {
                "S13" "A row that cannot be read is returned as corrupt":
                    an_unreadable_row_is_returned_as_corrupt, several_unreadable_rows_are_each_named;
                "S13" "And never blocks the batch":
                    an_unreadable_row_does_not_block_its_endpoint, an_unreadable_row_does_not_block_other_endpoints,
                    with_one_row_a_claim_an_unreadable_one_does_not_block_the_next,
                    an_unreadable_row_stops_no_other_from_being_settled;
                "S13" "It is not leased, and not handed out again until somebody mends it":
                    an_unreadable_row_is_not_handed_out_again;
            }
            racing {
                "S1" "This holds under concurrency: a unique key decides, not a check before the insert":
                    of_many_that_publish_one_id_at_once_exactly_one_is_new,
                    of_many_that_publish_with_one_key_at_once_exactly_one_is_new,
                    of_many_contents_under_one_id_at_once_one_is_stored_and_the_others_conflict,
                    batches_that_overlap_are_each_stored_whole;
                "S3" "Atomic for each row, and repeatable":
                    claimers_at_once_share_the_rows_and_each_goes_to_one,
                    after_a_race_each_claimer_can_settle_all_that_it_got,
                    claims_with_one_token_at_once_get_the_same_rows,
                    claimers_of_an_ended_lease_at_once_get_each_row_once, publishers_and_claimers_at_once_miss_no_row;
                "S6" "Row and log rows are written in one atomic step":
                    of_many_changes_of_one_lease_at_once_exactly_one_is_applied,
                    one_change_many_times_at_once_logs_its_attempt_once,
                    of_a_late_worker_and_a_new_claim_at_once_one_wins_each_row,
                    operators_and_workers_at_once_lose_no_attempt, a_row_is_never_read_half_written,
                    a_stale_outcome_names_a_version_that_the_row_had;
                "S14" "Each moved row is one version on":
                    sweeps_at_once_move_each_row_once, a_cancel_and_a_claim_at_once_leave_each_row_to_one;
                "S14" "Pairs of event and endpoint that exist are skipped, so it may be repeated":
                    attaching_one_pair_at_once_adds_it_once;
            }
            endpoints {
                "EndpointDirectory::subscribed" "The tenant's endpoints whose filter matches, disabled ones included, deleted ones not":
                    subscribed_finds_those_whose_filter_matches, subscribed_finds_disabled_endpoints_too,
                    subscribed_finds_no_deleted_endpoint, subscribed_follows_a_changed_filter;
                "EndpointDirectory::get" "These endpoints as they are now, in the order of the input; `None` for one that does not exist or is deleted":
                    endpoints_are_read_in_the_order_they_were_asked_for, a_deleted_endpoint_is_read_as_none,
                    reading_no_endpoint_gives_none, an_endpoint_reads_back_in_every_field;
                "EndpointDirectory::disable" "Disables an endpoint, unless it is disabled already; says whether it was enabled":
                    an_endpoint_is_disabled_once, disabling_is_a_write_of_the_endpoint,
                    what_does_not_exist_is_not_disabled;
                "EndpointAdmin::create" "Doing it again with the same id changes nothing":
                    creating_an_endpoint_again_changes_nothing,
                    creating_a_deleted_endpoint_again_does_not_bring_it_back;
                "EndpointAdmin::replace" "Writes all of `next`, if the stored version is `expected`":
                    a_replacement_writes_every_field, of_two_writers_who_read_the_same_version_the_second_loses,
                    what_does_not_exist_is_not_replaced;
                "EndpointAdmin::list" "A page of endpoints, newest first":
                    endpoints_are_listed_newest_first, a_list_goes_on_where_the_page_before_ended,
                    a_last_page_of_endpoints_that_is_just_full_has_no_cursor,
                    endpoints_that_come_while_somebody_pages_repeat_none, deleted_endpoints_are_not_listed,
                    a_replaced_endpoint_keeps_its_place_in_the_list, a_tenant_without_endpoints_has_an_empty_list;
                "EndpointAdmin::delete" "Deletes the tenant's endpoint; its deliveries and their log stay. Says whether it existed":
                    a_delete_says_whether_the_endpoint_existed, a_deleted_endpoint_s_deliveries_and_log_stay;
            }
            rotations {
                "EndpointAdmin::replace" "Compare-and-set: racing writers lose cleanly and try again":
                    of_many_who_replace_one_version_at_once_exactly_one_wins, rotations_at_once_all_land;
                "EndpointDirectory::disable" "Disables an endpoint, unless it is disabled already; says whether it was enabled":
                    of_many_who_disable_at_once_exactly_one_did_it;
                "EndpointAdmin::create" "Doing it again with the same id changes nothing":
                    of_many_who_create_one_id_at_once_one_is_stored;
                "EndpointAdmin::delete" "Deletes the tenant's endpoint; its deliveries and their log stay. Says whether it existed":
                    of_many_who_delete_at_once_exactly_one_did_it;
                "DeliveryLog::events" "Rows that are inserted while somebody pages neither repeat nor hide others":
                    pages_stay_whole_while_others_publish;
            }
            tenants {
                "tenants" "Another tenant's id looks missing":
                    another_tenant_s_event_looks_missing, another_tenant_s_endpoint_is_not_deleted;
                "tenants" "A tenant sees its own":
                    a_tenant_s_list_of_events_shows_its_own, a_tenant_s_list_of_deliveries_shows_its_own,
                    stats_of_a_tenant_count_its_own_and_without_one_all, subscribed_finds_no_other_tenant_s_endpoint,
                    endpoints_are_listed_for_their_tenant_only, one_event_id_at_two_tenants_is_two_events;
                "tenants" "No tenant is a wildcard, and the default tenant is a tenant of its own":
                    no_tenant_is_a_wildcard, the_default_tenant_is_a_tenant_of_its_own;
                "tenants" "Names are names, whatever they are made of":
                    a_tenant_with_an_odd_name_has_its_events, a_tenant_with_an_odd_name_has_its_endpoints,
                    an_odd_idempotency_key_is_found_again, ids_that_differ_in_case_or_by_a_prefix_are_different,
                    ids_are_as_long_as_the_contract_allows;
            }
            log {
                "DeliveryLog::event" "One event with its deliveries in the order of their creation, or `None`":
                    an_event_is_read_with_its_deliveries_in_the_order_of_their_creation,
                    an_event_is_read_with_its_deliveries_as_they_are_now, an_event_without_deliveries_is_visible,
                    an_event_that_does_not_exist_is_none;
                "DeliveryLog::attempts" "The attempts of a delivery, by number; none for one that does not exist":
                    a_delivery_that_does_not_exist_has_no_attempts, attempts_are_read_by_number;
                "DeliveryLog::events" "A page of events, newest first":
                    events_come_newest_first, newest_is_what_was_inserted_last, a_page_has_at_most_its_limit,
                    pages_follow_each_other_to_the_end, a_last_page_that_is_just_full_has_no_cursor,
                    an_empty_list_has_no_cursor, a_cursor_serves_the_same_page_again,
                    a_cursor_s_text_names_the_same_place;
                "DeliveryLog::events" "Rows that are inserted while somebody pages neither repeat nor hide others":
                    events_that_come_while_somebody_pages_neither_repeat_nor_hide_others,
                    rows_that_are_pruned_while_somebody_pages_hide_no_others,
                    a_cursor_whose_row_was_pruned_still_names_its_place;
                "DeliveryLog::deliveries" "A page of deliveries, newest first":
                    deliveries_come_newest_first,
                    deliveries_that_come_while_somebody_pages_neither_repeat_nor_hide_others;
                "DeliveryLog::tenants_with_held" "Tenants with held deliveries, in any order: a page of them":
                    each_tenant_with_held_deliveries_is_found_and_no_other;
            }
            filters {
                "DeliveryLog::events" "With this status, of this type, with a delivery to this endpoint, published at or after `since` and before `until`; `None` = any":
                    events_are_found_by_each_status, a_status_follows_its_deliveries,
                    events_are_found_by_their_exact_type, events_are_found_by_an_endpoint_of_theirs,
                    since_is_inclusive_and_until_is_not_for_events, a_row_must_pass_every_filter_of_an_event_query,
                    filters_that_are_not_set_hold_for_any_row;
                "DeliveryLog::deliveries" "In this state, of an event of this type, to this endpoint, published at or after `since` and before `until`; `None` = any":
                    deliveries_are_found_by_each_state, deliveries_are_found_by_the_type_of_their_event,
                    deliveries_are_found_by_their_endpoint, since_is_inclusive_and_until_is_not_for_deliveries,
                    a_row_must_pass_every_filter_of_a_delivery_query;
                "DeliveryLog::stats" "How many deliveries stand where, and how late the store runs":
                    the_counts_follow_every_change_of_state, the_counts_follow_a_prune,
                    an_empty_store_counts_nothing_and_says_what_it_is, the_oldest_due_time_is_that_of_a_scheduled_row;
            }
            finding {
                "DeliveryLog::deliveries" "Whose last attempt failed for this reason":
                    deliveries_are_found_by_the_reason_of_their_last_attempt,
                    a_delivery_that_came_through_in_the_end_is_found_by_no_reason;
                "DeliveryLog::deliveries" "Whose last attempt had such an answer":
                    deliveries_are_found_by_the_class_of_their_last_answer, a_row_without_an_attempt_is_of_no_class,
                    a_new_round_has_the_last_answer_of_the_one_before_until_its_own;
                "DeliveryLog::deliveries" "A row must pass every filter that is set":
                    the_filters_hold_together, no_filter_finds_another_tenant_s_rows;
                "DeliveryLog::events" "For this purpose":
                    tests_are_told_from_live_events, deliveries_have_the_purpose_of_their_event;
                "DeliveryLog::events" "Published with this key: one at most":
                    an_event_is_found_by_its_key_and_shows_it, a_key_finds_the_event_of_its_tenant,
                    the_filters_of_events_hold_together;
                "pages" "A page may be short, even empty, and still have a `next`: only `None` is the end":
                    pages_go_on_past_rows_that_do_not_match,
                    rows_that_come_while_somebody_pages_with_a_filter_neither_repeat_nor_hide_others;
            }
            retention {
                "DeliveryLog::prune" "Removes events whose deliveries have all ended before `before`":
                    an_event_goes_once_its_delivery_ended_before_the_time_and_not_at_it,
                    the_last_of_its_deliveries_decides, an_event_with_an_open_delivery_stays,
                    a_held_delivery_keeps_its_event, a_delivery_that_waits_for_its_retry_keeps_its_event,
                    a_cancelled_delivery_ended_when_it_was_cancelled, other_events_stay_as_they_are,
                    events_of_all_tenants_are_pruned, pruning_an_empty_store_removes_nothing,
                    rows_that_are_left_are_claimed_after_a_prune;
                "DeliveryLog::prune" "With no delivery: that were published before it":
                    an_event_without_deliveries_goes_by_the_time_of_its_publish;
                "DeliveryLog::prune" "With their deliveries, attempts and idempotency keys":
                    with_an_event_go_its_deliveries_and_attempts, a_pruned_event_s_id_and_key_are_free_again;
                "DeliveryLog::prune" "Up to `limit` events; may be repeated":
                    pruning_goes_in_steps_of_its_limit, events_that_stay_do_not_use_up_the_limit;
            }
            activity {
                "DeliveryLog::activity" "Each attempt that the log has is counted once, in the step that logged it, and stays counted where its event is pruned":
                    every_attempt_is_counted_in_the_minute_and_the_hour_it_ended_in,
                    attempts_of_one_bucket_add_up_by_endpoint_type_and_effect, a_change_that_comes_again_is_counted_once,
                    a_stale_change_and_one_without_an_attempt_count_nothing,
                    what_was_counted_stays_where_its_event_is_pruned, a_tenant_s_activity_is_its_own,
                    activity_is_found_by_its_endpoint_and_since_is_inclusive_and_until_is_not;
                "DeliveryLog::failing_since" "Since when each of these endpoints fails, in the order of the input":
                    an_endpoint_fails_since_its_first_failure_until_its_next_success;
            }
            by_hand {
                "S6" "A change may open an ended row again, or end an open one":
                    an_ended_row_that_is_opened_again_is_claimed_in_its_next_round,
                    a_round_goes_on_with_the_numbers_and_the_log_of_the_one_before,
                    an_ended_row_that_is_opened_again_counts_and_stays_as_an_open_one,
                    an_ended_row_that_is_opened_while_its_endpoint_is_disabled_is_held,
                    of_two_resends_of_one_row_the_second_is_stale, a_row_that_was_cancelled_by_hand_is_never_claimed;
            }
            sizes {
                "S1" "A body comes back byte for byte, from nothing to a mebibyte":
                    a_body_of_no_bytes_comes_back, a_body_of_one_byte_comes_back, a_body_of_every_byte_comes_back,
                    a_body_with_nul_comes_back, a_body_that_is_no_utf_8_comes_back, a_body_of_one_mebibyte_comes_back,
                    an_event_for_a_thousand_endpoints_is_stored_whole, a_batch_of_a_thousand_events_is_stored_whole,
                    times_at_both_ends_of_the_calendar_come_back;
                "S6" "An attempt comes back byte for byte":
                    a_response_of_no_bytes_comes_back, a_response_of_every_byte_comes_back,
                    a_response_of_16_kib_comes_back, texts_of_an_attempt_come_back_with_quotes_and_line_ends,
                    tokens_and_change_ids_of_every_bit_come_back;
                "EndpointAdmin::create" "Stores a new endpoint":
                    an_endpoint_whose_fields_are_as_long_as_allowed_comes_back;
            }
        }
    };
}
