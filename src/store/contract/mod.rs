//! The contract of [`Store`] as tests, for every home of it: a home says how it is opened, and gets all of them.

pub(crate) mod accounts;
pub(crate) mod cases;
pub(crate) mod companies;
pub(crate) mod keeping;
pub(crate) mod queue;
pub(crate) mod register;
pub(crate) mod registrants;
pub(crate) mod tickets;

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::ids::Sha256;
use crate::store::Store;

/// A home of the store.
#[async_trait]
pub(crate) trait Home: Send + Sync {
    /// Opens it, or opens it again after it was closed.
    async fn open(&self) -> Arc<dyn Store>;

    /// Destroys the keys of person `number` of the samples in the store last opened; says how many there were.
    async fn erase(&self, number: u64) -> usize;

    /// SHA-256, which the contract may not compute.
    fn digest(&self, bytes: &[u8]) -> Sha256;
}

/// Makes a test of every rule of the contract.
macro_rules! contract {
    ($home:expr) => {
        $crate::store::contract::contract! { $home; register:
            what_is_committed_is_read_back_and_outlives_closing
            a_change_that_expects_a_stale_revision_is_refused_whole
            the_same_change_made_twice_is_made_once
            fifty_orders_at_once_fill_the_quota_exactly
            a_newer_version_takes_the_place_of_the_older
            a_copy_is_found_by_its_code_and_by_its_file
            certificates_are_listed_by_every_filter_page_by_page
            annotations_are_listed_by_every_filter_page_by_page
            copies_are_found_by_their_last_day
        }
        $crate::store::contract::contract! { $home; queue:
            the_most_urgent_job_comes_first_and_two_workers_never_share_one
            a_lapsed_lease_goes_to_another_and_the_first_is_fenced_off
            a_job_put_off_ends_its_lease_and_a_parked_one_waits
            the_queue_outlives_closing_and_its_leases_do_not
            the_queue_counts_by_issuer
            a_waiting_worker_hears_of_a_new_job
            workers_at_once_settle_every_job_once
            moments_are_kept_to_the_nanosecond
        }
        $crate::store::contract::contract! { $home; keeping:
            an_answer_is_kept_and_given_once
            an_order_and_its_answer_are_one_change
            api_keys_are_found_by_their_secret
            documents_are_kept_under_their_digest
            the_trail_is_found_by_certificate_annotation_and_issuer
            a_proof_joins_entries_to_the_head
            checks_are_counted_beside_the_ledger_and_outlive_closing
            a_reset_forgets_everything
            nothing_succeeds_after_closing
        }
        $crate::store::contract::contract! { $home; accounts:
            accounts_of_every_owner_outlive_closing
            the_accounts_of_staff_are_listed_and_no_others
            a_login_name_has_one_account
            what_was_decided_on_a_stale_account_session_or_code_is_refused
            a_session_ended_stays_ended
            a_newer_code_takes_the_place_of_the_older
            the_trail_of_an_account_is_what_it_did_and_what_was_done_to_it
            who_is_erased_has_no_account_and_may_open_another
            an_account_may_change_its_login_name
            a_reset_forgets_accounts_too
        }
        $crate::store::contract::contract! { $home; tickets:
            a_ticket_and_its_answer_outlive_closing
            a_person_and_a_mobile_have_one_open_ticket
            what_was_decided_on_a_stale_ticket_is_refused
            tickets_are_listed_by_state_page_by_page
            a_scan_is_kept_as_long_as_a_ticket_names_it
            who_is_erased_has_no_ticket_and_may_open_another
            a_reset_forgets_tickets_too
        }
        $crate::store::contract::contract! { $home; cases:
            a_case_in_every_state_outlives_closing
            what_was_decided_on_a_stale_case_is_refused
            what_a_seat_holds_is_listed_by_due_day_page_by_page
            a_unit_sees_what_it_holds_and_all_that_it_had
            a_case_leaves_the_lists_when_it_moves_on
            cases_are_counted_by_seat_and_region
            the_files_of_a_case_are_kept
            who_is_erased_has_no_case_and_is_in_no_list
            a_reset_forgets_cases_too
        }
        $crate::store::contract::contract! { $home; registrants:
            what_is_known_of_a_registrant_outlives_closing
            what_was_decided_on_a_stale_registrant_is_refused
            photo_and_signature_are_kept
            who_is_erased_is_unknown_and_may_come_again
            a_case_its_registrant_and_what_is_remembered_are_one_change
        }
        $crate::store::contract::contract! { $home; companies:
            a_company_is_found_by_its_code_and_by_a_part_of_any_name
            what_was_decided_on_a_stale_company_is_refused
            at_most_fifty_companies_are_found
        }
    };
    ($home:expr; $part:ident: $($rule:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                $crate::store::contract::$part::$rule(&$home).await;
            }
        )+
    };
}
pub(crate) use contract;
