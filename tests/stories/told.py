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

ON_PLAIN_GIT_ALONE: dict[str, str] = {
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
    # Execution.
    "test_break_glass": "it is what is left while plain Git's remote is away, with the person's own key on the request",
    "test_warm_workers": _WORKER,
    "test_isolation": _WORKER,
    "test_needs": _WORKER,
    "test_terraform": _WORKER,
    "test_cancel": _WORKER,
    "test_kill_at_questions": "test_kill_again kills at every effect of the forge on both",
}
