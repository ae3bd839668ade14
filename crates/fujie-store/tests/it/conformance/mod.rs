//! What every engine must hold. A story takes a fresh store; an engine is one line in `main.rs`.

pub mod account;
pub mod binding;
pub mod channel_event;
pub mod client;
pub mod consent;
pub mod grant;
pub mod inbox;
pub mod instance;
pub mod integration;
pub mod session;
pub mod sweep;
pub mod target;
pub mod topic;
pub mod upstream_token;

/// Runs every story on an engine: `$fresh` gives a store that nobody else has, and what keeps it alive.
macro_rules! suite {
    ($engine:ident, $fresh:path) => {
        crate::conformance::suite! { $engine, $fresh,
            instance: [the_instance_is_made_once, keys_are_made_by_one_of_two, a_key_reads_back_as_it_was,
                keys_that_follow_others_are_noted,
                the_database_says_that_it_can_be_written, events_are_read_newest_first],
            client: [a_client_reads_back_as_it_was, a_client_id_is_registered_once, an_api_is_registered_once,
                a_disabled_client_loses_its_grants_and_its_epoch, ending_all_of_a_client_leaves_it_enabled],
            account: [usernames_are_unique_in_whatever_case, one_of_64_gets_the_username,
                the_setup_link_is_spent_once, the_setup_link_expires_and_is_replaced,
                the_setup_link_is_closed_by_any_administrator, a_new_password_ends_sessions_and_grants,
                a_disabled_account_can_do_nothing, a_password_is_found_by_the_folded_name],
            session: [a_session_is_read_with_its_account, a_session_ends_with_its_grants_but_not_the_offline_ones,
                a_session_expires, sessions_of_an_account_are_listed],
            consent: [consent_is_remembered_and_united, withdrawn_consent_ends_the_grants,
                a_grant_does_not_rest_on_withdrawn_consent, a_consent_too_long_to_unite_is_replaced],
            grant: [a_grant_reads_back_as_it_was, a_code_is_redeemed_once, one_of_64_redeems_the_code,
                an_expired_code_is_gone, a_refresh_token_rotates_once, one_of_64_rotates_the_generation,
                an_ended_grant_is_not_refreshed, only_an_unredeemed_grant_ends_by_misuse,
                a_grant_does_not_outlive_an_account_disabled_meanwhile, a_fresh_sign_in_counts_once,
                twenty_codes_of_a_session_wait_at_most, a_session_of_another_account_bears_nothing,
                a_revoked_token_is_known_with_its_grant, one_of_64_uses_it_once, a_repeated_refresh_is_noted_once],
            binding: [an_identity_is_bound_and_signs_in, one_of_64_spends_the_ticket,
                two_tickets_of_one_identity_make_one_account, a_flow_is_used_once,
                a_unionid_that_appears_later_is_added, a_new_openid_of_a_known_union_is_added,
                two_rows_of_two_accounts_are_a_conflict_and_change_nothing, a_taken_username_leaves_the_ticket,
                an_identity_is_attached_to_the_session, an_identity_of_another_is_not_attached,
                one_of_two_accounts_attaches_the_identity, a_disabled_account_is_not_entered_by_identity,
                the_last_way_in_stays, a_way_in_that_is_not_offered_is_none,
                a_way_in_of_another_application_is_none, a_fresh_sign_in_unbinds_once,
                unbinding_takes_the_union_and_the_sessions,
                a_ticket_expires_and_is_discarded, an_identity_changes_its_union],
            sweep: [the_sweep_takes_what_is_over, the_sweep_spares_what_was_refreshed, the_sweep_keeps_its_limit,
                the_sweep_takes_old_events_from_the_front, a_swept_delivery_is_still_known, a_post_is_known_as_long_as_its_event,
                an_event_stamped_ahead_goes_with_those_after_it, many_events_stamped_ahead_do_not_stop_the_sweep,
                a_delivery_stamped_ahead_does_not_keep_the_others, a_part_of_the_sweep_is_bounded_in_bytes],
            topic: [a_topic_is_made_with_its_owner, one_of_64_gets_the_name, an_account_makes_twenty_topics,
                a_topic_has_200_members, a_client_is_a_member_and_no_owner, the_last_owner_stays,
                one_of_two_owners_who_remove_each_other_stays, who_leaves_takes_the_targets_along,
                a_disabled_account_leaves_its_topics, a_deleted_topic_leaves_nothing,
                a_large_topic_goes_bit_by_bit],
            integration: [an_integration_reads_back_as_it_was, an_integration_gets_its_hook_and_another_secret,
                an_integration_needs_its_topic, a_topic_has_fifty_integrations],
            inbox: [a_delivery_becomes_an_event, one_of_64_receives_the_delivery, a_delivery_is_one_per_integration,
                a_delivery_may_have_come_by_an_earlier_name, a_removed_integration_receives_nothing,
                deliveries_are_listed_newest_first,
                a_named_post_is_appended_once, one_of_64_appends_the_post, a_post_and_a_delivery_are_not_confused],
            channel_event: [an_event_reads_back_as_it_was, the_head_rises_with_every_append,
                events_are_read_from_a_cursor, a_page_ends_when_it_is_large, a_body_is_kept_aside,
                an_unknown_topic_takes_no_event, the_log_tells_where_it_begins, audit_rows_are_told_on_the_own_topic,
                a_verb_that_is_undone_leaves_no_event],
            target: [a_target_gets_what_comes_after_it, a_target_that_is_put_off_has_not_failed,
                a_target_that_failed_is_tried_later, a_clock_that_ran_ahead_delays_nobody,
                a_disabled_target_gets_nothing_until_it_is_renewed, an_address_is_one_target_per_topic,
                only_members_have_targets, targets_are_limited, a_removed_target_is_gone,
                no_event_is_lost_between_append_and_advance],
            upstream_token: [a_token_is_kept_and_replaced, a_token_goes_with_its_identity,
                a_token_of_an_identity_that_is_not_the_accounts_is_not_kept, a_token_goes_with_its_account],
        }
    };
    ($engine:ident, $fresh:path, $($family:ident: [$($story:ident),* $(,)?]),* $(,)?) => {
        mod $engine {
            $(mod $family {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $story() {
                    let (store, _place) = $fresh();
                    crate::conformance::$family::$story(&store).await;
                    store.close().await;
                })*
            })*
        }
    };
}
pub(crate) use suite;
