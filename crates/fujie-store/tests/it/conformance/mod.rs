//! What every engine must hold. A story takes a fresh store; an engine is one line in `main.rs`.

pub mod account;
pub mod binding;
pub mod client;
pub mod consent;
pub mod grant;
pub mod instance;
pub mod session;
pub mod sweep;

/// Runs every story on an engine: `$fresh` gives a store that nobody else has, and what keeps it alive.
macro_rules! suite {
    ($engine:ident, $fresh:path) => {
        crate::conformance::suite! { $engine, $fresh,
            instance: [the_instance_is_made_once, keys_are_made_by_one_of_two, a_key_reads_back_as_it_was,
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
                the_last_way_in_stays, unbinding_takes_the_union_and_the_sessions,
                a_ticket_expires_and_is_discarded, an_identity_changes_its_union],
            sweep: [the_sweep_takes_what_is_over, the_sweep_spares_what_was_refreshed, the_sweep_keeps_its_limit],
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
