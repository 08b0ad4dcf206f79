"""Which stories are told on plain Git alone, and why: all others are told on GitLab with the same words.

A name is a story (`module::test`), or a module whose stories are all told so. `test_told.py` holds that nothing stands
here without being a story, and without a reason.
"""

from __future__ import annotations

_CLONE = "a clone is judged before any forge is asked, and by the same code"
_KEYS = "people have keys on plain Git alone; GitLab knows who wrote a note by itself"
_WORKER = "what happens is between runner and worker; that the forge is told of it is told on both by the other stories"
_MACHINE = "it is a trouble of the runner's machine with a clone, which is the same clone with either forge"
_AWAY = "with GitLab away is told in test_on_gitlab; here Git's remote is away, and people's words with it"
_SEALED = "test_kill_anywhere seals on both; a later attempt says nothing else to the forge"
_ANSWERED = "a yes, a value, and who is heard are told on both; what follows is between runner and worker"
_RESUMED = "a resume with new approvals and refusals are told on both; the others differ in what is executed"
_REVERTED = "a revert that restores and refusals are told on both; the others differ in what is executed"
_TIME = "the clock and the policy decide, and what is said then is told on both by the other stories of this module"
_ALL = "on GitLab nobody looks at one issue only: what people type there is carried out by a runner that looks at all"
_KILLED = "test_kill_anywhere and test_kill_again kill at every effect of the forge on both"

_FORWARD = "a revert tells it on both, since it begins with what it reverts, and test_proposals_on_gitlab on Premium"
_MERGED = "who merged and what was pushed is told by GitLab itself: test_proposals_on_gitlab"
_RUN = "what happens once it is merged is told on both, and killed between merge and start on one"

ON_PLAIN_GIT_ALONE: dict[str, str] = {
    # Changes that people merge.
    "test_proposals::test_a_change_is_proposed_merged_and_then_carried_out_with_what_was_merged": _FORWARD,
    "test_proposals::test_what_was_altered_or_merged_by_the_wrong_people_starts_nothing_and_says_why": _MERGED,
    "test_proposals::test_a_runbook_that_acts_by_the_merge_alone_ends_with_its_verification": _RUN,
    "test_kill_at_proposals::test_killed_between_the_merge_and_the_start_it_runs_once": _RUN,
    # The first stories.
    "test_request_to_evidence::test_a_repository_without_a_remote_is_a_whole_world": "with GitLab there is a remote",
    "test_bad_input::test_a_shallow_clone_is_told_how_to_become_whole": _CLONE,
    "test_bad_input::test_an_empty_clone_is_told_where_to_begin": _CLONE,
    "test_bad_input::test_a_malformed_setting_is_the_operators": "which forge there is, settings say",
    "test_bad_input::test_a_malformed_list_of_people_is_the_operators_and_names_the_line": _KEYS,
    "test_bad_input::test_a_persons_key_that_is_not_there_is_told_with_what_to_try": _KEYS,
    "test_bad_input::test_a_clone_that_may_only_be_read_can_be_looked_at_and_says_so_when_it_is_written_to": _MACHINE,
    "test_bad_input::test_a_full_disk_is_said_and_what_was_to_be_done_is_done_when_there_is_room": _MACHINE,
    "test_bad_input::test_a_remote_that_is_away_is_said_and_nothing_is_half_done": _AWAY,
    "test_bad_input::test_with_the_remote_away_what_is_here_can_still_be_read": _AWAY,
    # Those of execution whose forge is told of it as in the others.
    "test_kill_again::test_killed_while_a_later_attempt_is_sealed_its_evidence_lands_once": _SEALED,
    "test_questions::test_a_no_ends_it_and_what_it_changed_is_undone": _ANSWERED,
    "test_questions::test_nobody_in_time_ends_it_and_a_late_answer_is_refused": _ANSWERED,
    "test_questions::test_a_supervisor_dies_at_the_question_and_another_clone_brings_the_answer": _ANSWERED,
    "test_questions::test_a_run_at_its_question_keeps_nobody_waiting": _ANSWERED,
    "test_questions::test_what_nobody_may_answer_is_not_planned": "policy says so, which is the same on both",
    "test_resume::test_where_policy_says_the_same_approval_is_enough_it_goes_on_by_itself": _RESUMED,
    "test_resume::test_a_policy_that_became_stricter_in_between_holds_for_the_next_attempt": _RESUMED,
    "test_resume::test_an_attempt_may_fail_again_and_a_third_one_knows_what_both_did": _RESUMED,
    "test_resume::test_a_run_that_was_undone_starts_over_when_it_is_resumed": _RESUMED,
    "test_resume::test_a_lost_run_that_was_resolved_goes_on_from_what_its_transcript_proves": _RESUMED,
    "test_resume::test_a_run_whose_end_leaves_nothing_to_go_on_with_is_not_resumed": _RESUMED,
    "test_revert::test_a_revert_that_does_not_restore_the_state_fails_and_shows_what_is_different": _REVERTED,
    "test_revert::test_a_run_that_was_cancelled_and_left_is_reverted_once_and_not_resumed_meanwhile": _REVERTED,
    "test_emergencies::test_it_waits_for_the_approvals_that_policy_asks_for_in_an_emergency_and_is_next_in_line": _TIME,
    "test_emergencies::test_an_ordinary_run_takes_no_approval_after_its_start": _TIME,
    "test_emergencies::test_killed_at_any_point_it_is_reminded_of_once_and_paid_once": _KILLED,
    "test_the_kill_switch::"
    "test_killed_at_any_point_a_halt_is_on_record_once_its_author_is_told_once_and_nothing_starts": _KILLED,
    "test_the_kill_switch::test_a_halt_on_another_issue_is_heard_by_whoever_looks_at_one_issue_only": _ALL,
    "test_the_kill_switch::test_what_runs_goes_on_to_its_end": _WORKER,
    "test_the_kill_switch::test_a_start_that_no_worker_has_taken_yet_waits_for_the_end_of_the_halt": _WORKER,
    "test_windows_and_the_queue::test_what_a_window_holds_back_starts_by_itself_when_it_opens": _TIME,
    "test_windows_and_the_queue::test_a_freeze_holds_back_and_a_plan_that_is_held_keeps_nobody_waiting": _TIME,
    "test_steps": _WORKER,
    "test_break_glass": "it is what is left while plain Git's remote is away, with the person's own key on the request",
    "test_warm_workers": _WORKER,
    "test_isolation": _WORKER,
    "test_needs": _WORKER,
    "test_terraform": _WORKER,
    "test_cancel": _WORKER,
    "test_kill_at_questions": "test_kill_again kills at every effect of the forge on both",
}

_GITLAB = "it is told on GitLab alone, in the story of what only GitLab has"
_LEDGER = "what is checked is a ledger made for it; that a run of either forge passes is told beside it"

IN_NO_WORLD: dict[str, str] = {
    "test_told": "it is about the stories themselves",
    "test_on_gitlab": "it is told over HTTPS, with processes alone, deliveries and an API that is away",
    "test_a_request_on_gitlab": _GITLAB,
    "test_deliveries": _GITLAB,
    "test_doctor": _GITLAB,
    "test_in_gitlab_ci": _GITLAB,
    "test_least_privilege": _GITLAB,
    "test_proposals_on_gitlab": _GITLAB,
    "test_trouble_on_gitlab": _GITLAB,
    "test_words_on_gitlab": _GITLAB,
    "test_the_demo": "the demo makes a world of its own on plain Git: it shows what there is without any server",
    "test_the_page_of_stock_tools::test_a_stranger_can_check_one_run": _LEDGER,
    "test_the_page_of_stock_tools::test_another_genesis_is_noticed": _LEDGER,
    "test_the_page_of_stock_tools::test_tampering_is_noticed": _LEDGER,
    "test_the_page_of_stock_tools::test_every_event_type_is_described_with_every_field": _LEDGER,
    "test_the_page_of_stock_tools::test_the_words_of_a_person_are_described": _LEDGER,
    "test_bad_input::test_without_a_remote_the_clone_is_its_own": "with GitLab there is a remote",
    "test_bad_input::test_somebody_whom_git_does_not_know_is_told_how_to_say_who_they_are": _CLONE,
    "test_bad_input::test_only_debug_shows_where_it_happened": "a traceback knows no forge",
}
"""The same for those that need no world, or another one."""
