"""Tamperings done by hand on a real record. Each is seen by the checks it names; each check is needed by one of them.

Most are the hardest kind: whoever does them has the real key, signs everything again and links it anew, so that only
the one invariant that they break can tell. `alone` names the check without which the attack passes unnoticed.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest

from runner.adapters.signer.ssh import generate
from runner.audit.checks.registry import CHECKS
from runner.audit.finding import Report, Standing
from runner.audit.source import opened
from runner.audit.verify import Pins, verify
from runner.ledger.event import iso
from tests.audit.by_hand import Hand, Leaf, find, pretty, sha
from tests.audit.ledgers import ALICE, BEGIN, BOB, POLICY_TEXT, RUNBOOK, History, a_history

NOW = BEGIN + timedelta(hours=1)


@dataclass(slots=True, kw_only=True)
class Scene:
    """A clone of the valid history that an attack may ruin."""

    hand: Hand
    leaves: list[Leaf]
    history: History
    pins: Pins
    now: datetime = NOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """What is done, which invariants see it, and the one without which nobody would."""

    do: Callable[[Scene], None]
    seen: tuple[str, ...]
    alone: str | None
    on: str = "valid"


ATTACKS: dict[str, Attack] = {}


def attack(
    *seen: str, alone: str | None = None, on: str = "valid"
) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    """Register an attack under the name of its function."""

    def register(do: Callable[[Scene], None]) -> Callable[[Scene], None]:
        both = seen if alone is None or alone in seen else (*seen, alone)
        ATTACKS[do.__name__] = Attack(do=do, seen=both, alone=alone, on=on)
        return do

    return register


# The chain ---------------------------------------------------------------------------------------------------------


@attack(alone="I1")
def a_run_is_removed_from_the_middle_and_the_links_are_signed_anew(scene: Scene) -> None:
    run = find(scene.leaves, "plan", 1).predicate["run"]
    left = [leaf for leaf in scene.leaves if leaf.predicate["run"] != run]
    left[left.index(find(left, "plan", 1))].touched = True
    scene.hand.write(left)


@attack("I1", "I4")
def a_run_is_removed_from_the_middle_without_the_key(scene: Scene) -> None:
    run = find(scene.leaves, "plan", 1).predicate["run"]
    left = [leaf for leaf in scene.leaves if leaf.predicate["run"] != run]
    left[left.index(find(left, "plan", 1))].touched = True
    for leaf in left:
        leaf.raw = True
    scene.hand.write(left)


@attack(alone="I2")
def an_event_carries_a_field_that_no_reader_knows(scene: Scene) -> None:
    leaf = scene.leaves[-1]
    leaf.body["aside"] = "read only by a friend"
    leaf.touched = True
    scene.hand.write(scene.leaves)


@attack("I2")
def a_manifest_carries_a_field_that_no_reader_knows(scene: Scene) -> None:
    _edit_manifest(find(scene.leaves, "finish"), lambda manifest: manifest.update(aside=1))
    scene.hand.write(scene.leaves)


@attack(alone="I3")
def an_event_is_signed_by_a_stranger(scene: Scene) -> None:
    scene.leaves[-1].key = "stranger"
    scene.leaves[-1].touched = True
    scene.hand.write(scene.leaves)


@attack("I3")
def a_revoked_key_signs(scene: Scene) -> None:
    scene.hand.write([*scene.leaves, *_keys(scene, first="runner"), _note(scene, 19, key="second", when=5)])
    leaves = scene.hand.read()
    scene.hand.write([*leaves, _note(scene, len(leaves), key="runner", when=6)])


@attack("I3")
def the_words_of_an_event_are_changed_without_the_key(scene: Scene) -> None:
    leaf = find(scene.leaves, "note")
    envelope = json.loads(leaf.envelope)
    payload = base64.b64decode(envelope["payload"]).replace(b"the first words", b"the worst words")
    envelope["payload"] = base64.b64encode(payload).decode()
    leaf.envelope = json.dumps(envelope).encode()
    leaf.touched = leaf.raw = True
    scene.hand.write(scene.leaves, relink=False)


@attack(alone="I4")
def an_old_event_is_reworded_and_signed_anew(scene: Scene) -> None:
    leaf = find(scene.leaves, "note")
    leaf.body["text"] = "something else"
    leaf.touched = True
    prev = leaf.predicate["chain"]["prev"]
    scene.hand.write(scene.leaves, relink=False)
    assert leaf.predicate["chain"]["prev"] == prev


@attack(alone="I5")
def an_event_is_dated_back(scene: Scene) -> None:
    leaf = scene.leaves[-1]
    leaf.predicate["time"]["local"] = iso(BEGIN)
    leaf.touched = True
    scene.hand.write(scene.leaves)


@attack("I5")
def a_commit_is_dated_back(scene: Scene) -> None:
    scene.leaves[-1].date -= 3600
    scene.leaves[-1].touched = True
    scene.hand.write(scene.leaves)


@attack("I4")
def an_event_of_another_project_is_spliced_in(scene: Scene) -> None:
    folder = scene.hand.repository.parent / "elsewhere"
    other = a_history(folder, make=lambda one: one.whole(), project="shop", key=scene.history.keys["runner"])
    other.close()
    stolen = Hand(repository=other.path, keys=scene.hand.keys).read()[1:]
    number = len(scene.leaves)
    for place, leaf in enumerate(stolen):
        leaf.commit = ""
        leaf.raw = True
        leaf.path = f"outputs/ledger/00000/{number + place:08d}.dsse.json"
    scene.hand.write([*scene.leaves, *stolen])


# Files and history -------------------------------------------------------------------------------------------------


@attack(alone="I6")
def a_summary_is_edited_and_its_commit_signed_anew(scene: Scene) -> None:
    leaf = find(scene.leaves, "finish")
    leaf.put("summary.md", b"# All is well\n", name_it=False)
    _keep_envelopes(scene)


@attack("I6", "I15", "I16")
def an_executed_notebook_is_edited_in_a_later_commit(scene: Scene) -> None:
    path = find(scene.leaves, "finish").file("executed.ipynb")
    scene.leaves[-1].extra = {path: b"{}"}
    scene.leaves[-1].touched = True
    _keep_envelopes(scene)


@attack(alone="I15")
def a_file_is_planted(scene: Scene) -> None:
    leaf = find(scene.leaves, "plan", 1)
    folder = leaf.file("plan.json").removesuffix("plan.json")
    leaf.extra = {f"{folder}approval.txt": b"Bob said yes on the telephone.\n"}
    leaf.touched = True
    _keep_envelopes(scene)


@attack(alone="I16")
def a_merge_hides_in_the_history(scene: Scene) -> None:
    scene.leaves[-1].parents = (scene.history.main,)
    scene.leaves[-1].touched = True
    _keep_envelopes(scene)


@attack("I16")
def a_commit_is_not_signed(scene: Scene) -> None:
    scene.leaves[-1].commit_key = None
    scene.leaves[-1].touched = True
    _keep_envelopes(scene)


@attack("I16")
def a_commit_is_signed_by_a_stranger(scene: Scene) -> None:
    scene.leaves[-1].commit_key = "stranger"
    scene.leaves[-1].touched = True
    _keep_envelopes(scene)


@attack("I6", "I16")
def a_run_is_deleted_by_a_later_commit(scene: Scene) -> None:
    scene.leaves[-1].removed = tuple(find(scene.leaves, "finish").files)
    scene.leaves[-1].touched = True
    _keep_envelopes(scene)


@attack("I16")
def a_commit_without_an_event_is_added(scene: Scene) -> None:
    leaf = scene.leaves[-1]
    commit = scene.hand.commit_object(leaf, tree=_tree(scene), parents=(leaf.commit,))
    scene.hand.git("update-ref", "refs/heads/evidence", commit)


@attack(alone="I17")
def the_tail_is_cut_off(scene: Scene) -> None:
    scene.hand.git("update-ref", "refs/heads/evidence", scene.leaves[-2].commit)


@attack(alone="I17")
def the_tail_is_cut_off_and_grown_again_with_the_real_key(scene: Scene) -> None:
    scene.leaves[-1].body["text"] = "other last words"
    scene.leaves[-1].touched = True
    scene.hand.write(scene.leaves)


@attack(alone="I18")
def a_secret_is_in_history(scene: Scene) -> None:
    leaf = scene.leaves[-1]
    leaf.body["text"] = "log in with glpat-" + "Ab3dEf6hIj9lMn2pQr5t"
    leaf.touched = True
    scene.hand.write(scene.leaves)
    scene.pins = Pins()


# What ran ----------------------------------------------------------------------------------------------------------


@attack(alone="I7")
def unreviewed_code_ran(scene: Scene) -> None:
    other = _unreviewed(scene, RUNBOOK)

    def swap(plan: dict[str, Any]) -> None:
        plan["runbook"]["commit"] = other

    _edit_plan(scene, swap, fields={"runbookCommit": other})


@attack("I7")
def the_runbook_has_other_bytes_than_the_plan_says(scene: Scene) -> None:
    _edit_plan(scene, lambda plan: plan["runbook"].update(sha256=sha(b"another")))


@attack(alone="I21")
def the_cells_ran_with_less_isolation_than_was_demanded(scene: Scene) -> None:
    _edit_manifest(find(scene.leaves, "finish"), lambda manifest: manifest["execution"].update(isolation="subreaper"))
    scene.hand.write(scene.leaves)


@attack("I7", "I21")
def the_plan_names_a_lock_file_that_its_commit_does_not_have(scene: Scene) -> None:
    lock = {"path": "runbooks/environments/db.lock", "sha256": sha(b"ipykernel==7.4.0\n")}
    _edit_plan(scene, lambda plan: plan.update(environment=lock))


@attack(alone="I21")
def the_cells_ran_on_other_packages_than_the_plan_says(scene: Scene) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["execution"]["environment"]["lock"] = sha(b"ipykernel==7.4.0\n")

    _edit_manifest(find(scene.leaves, "finish"), edit)
    scene.hand.write(scene.leaves)


@attack(alone="I8")
def an_approval_is_added_after_the_end(scene: Scene) -> None:
    late = deepcopy(find(scene.leaves, "approve"))
    _append(scene, late)


@attack("I8", "I20")
def a_run_is_started_twice(scene: Scene) -> None:
    leaves = scene.leaves
    place = leaves.index(find(leaves, "start"))
    twin = deepcopy(leaves[place])
    twin.commit = ""
    twin.predicate["time"] = leaves[place].predicate["time"]
    twin.body["nonce"] = "another"
    leaves.insert(place + 1, twin)
    _rewrite(scene, leaves, place + 1)


@attack("I8")
def a_result_is_made_up(scene: Scene) -> None:
    leaves = scene.leaves
    place = leaves.index(find(leaves, "start"))
    del leaves[place]
    _rewrite(scene, leaves, place)


@attack(alone="I9")
def the_plan_is_swapped(scene: Scene) -> None:
    leaf = find(scene.leaves, "plan")
    plan = json.loads(leaf.files[leaf.file("plan.json")])
    plan["timeout"] = 86400.0
    leaf.put("plan.json", pretty(plan))
    scene.hand.write(scene.leaves)
    # Nobody notices by the approvals' own words: they still name the digest that the events name.


@attack(alone="I9")
def the_words_of_the_request_are_left_out(scene: Scene) -> None:
    leaf = find(scene.leaves, "plan")
    path = leaf.file("request.md")
    del leaf.files[path]
    leaf.statement["subject"] = [one for one in leaf.statement["subject"] if f"outputs/{one['name']}" != path]
    leaf.touched = True
    scene.hand.write(scene.leaves)


@attack("I9")
def the_words_of_a_confidential_issue_are_on_record(scene: Scene) -> None:
    _edit_plan(scene, lambda plan: plan["requested"].update(confidential=True))


@attack("I9")
def the_event_names_another_requester_than_the_plan(scene: Scene) -> None:
    _edit_plan(scene, lambda plan: plan["requested"].update(by="mallory@example.org"))


@attack(alone="I10")
def a_start_names_no_approval(scene: Scene) -> None:
    leaves = scene.leaves
    del leaves[leaves.index(find(leaves, "approve"))]
    start = find(leaves, "start")
    start.body["approvals"] = []
    _edit_manifest(find(leaves, "finish"), lambda manifest: manifest.update(approvals=[]))
    finish = find(leaves, "finish")
    finish.message = finish.message.replace(f"Approved-By: {BOB}\n", "")
    _rewrite(scene, leaves, leaves.index(start))


@attack(alone="I10")
def an_approval_had_expired(scene: Scene) -> None:
    commit = _policy(scene, POLICY_TEXT.replace('expires = "24h"', 'expires = "1s"'))
    _with_policy(scene, commit)


@attack(alone="I10")
def it_started_in_a_freeze_that_people_kept_at_the_forge(scene: Scene) -> None:
    start = find(scene.leaves, "start")
    first, last = (f"{one:%-M %-H %-d %-m} *" for one in (BEGIN - timedelta(hours=2), BEGIN + timedelta(hours=2)))
    start.body["freezes"] = [{"id": "7", "start": first, "end": last, "zone": "UTC"}]
    _rewrite(scene, scene.leaves, scene.leaves.index(start))


@attack(alone="I10")
def an_approval_is_for_another_digest(scene: Scene) -> None:
    first, second = find(scene.leaves, "approve", 0), find(scene.leaves, "approve", 1)
    second.body["said"] = first.body["said"]
    second.touched = True
    scene.hand.write(scene.leaves)


@attack("I10")
def an_approval_was_revoked_before_the_start(scene: Scene) -> None:
    leaves = scene.leaves
    place = leaves.index(find(leaves, "start"))
    yes = find(leaves, "approve")
    revoke = deepcopy(yes)
    revoke.commit = ""
    revoke.predicate["type"] = "revoke"
    revoke.predicate["body"] = {**yes.body, "approval": yes.predicate["chain"]["seq"]}
    revoke.message = revoke.message.replace("Runbook-Type: approve", "Runbook-Type: revoke")
    leaves.insert(place, revoke)
    _rewrite(scene, leaves, place)


@attack(alone="I11")
def the_requester_approves(scene: Scene) -> None:
    plan = find(scene.leaves, "plan")
    yes = find(scene.leaves, "approve")
    yes.body["said"] = _said(scene, ALICE, f"/runbook approve {plan.body['planDigest'][:12]}", issue=7, number=1)
    yes.touched = True
    finish = find(scene.leaves, "finish")
    finish.message = finish.message.replace(f"Approved-By: {BOB}", f"Approved-By: {ALICE}")
    _edit_manifest(finish, lambda manifest: manifest["approvals"][0].update(by=ALICE))
    scene.hand.write(scene.leaves)


@attack(alone="I11")
def the_requester_approves_under_another_name(scene: Scene) -> None:
    find(scene.leaves, "plan").body["said"]["account"] = "17"
    _edit_plan(scene, lambda plan: plan["requested"].update(account="17"))
    yes = find(scene.leaves, "approve")
    yes.body["said"]["account"] = "17"
    yes.touched = True
    scene.hand.write(scene.leaves)


@attack(alone="I10")
def whoever_approved_has_a_name_that_policy_has_under_another_account(scene: Scene) -> None:
    _with_policy(scene, _policy(scene, f'{POLICY_TEXT}\n[accounts]\n"{BOB}" = 17\n'))


@attack(alone="I11")
def an_approval_is_put_into_somebodys_mouth(scene: Scene) -> None:
    said = find(scene.leaves, "approve").body["said"]
    payload = base64.b64decode(said["payload"])
    armoured = scene.hand.ssh(payload, key="stranger", namespace="runbook-comment")
    said["signature"] = base64.b64encode(armoured.encode()).decode()
    find(scene.leaves, "approve").touched = True
    scene.hand.write(scene.leaves)


@attack("I11")
def a_request_is_put_into_somebodys_mouth(scene: Scene) -> None:
    said = find(scene.leaves, "plan").body["said"]
    said["payload"] = said["signature"] = None
    find(scene.leaves, "plan").touched = True
    scene.hand.write(scene.leaves)


@attack("I11")
def an_approver_is_no_member_any_more(scene: Scene) -> None:
    people = f'{ALICE} namespaces="runbook-comment" {scene.history.keys[ALICE].public_key}\n'
    commit = _policy(scene, POLICY_TEXT, people=people)
    _with_policy(scene, commit)


@attack(alone="I12")
def the_source_of_an_executed_cell_is_changed(scene: Scene) -> None:
    def edit(notebook: dict[str, Any]) -> None:
        _cell(notebook, "change-1")["source"] = ["print('nothing to see')"]

    _edit_executed(scene, edit)


@attack("I12")
def a_cell_that_ran_is_left_out_of_the_executed_notebook(scene: Scene) -> None:
    def edit(notebook: dict[str, Any]) -> None:
        notebook["cells"].remove(_cell(notebook, "words"))

    _edit_executed(scene, edit)


@attack(alone="I13")
def a_parameter_is_changed_in_the_injected_cell(scene: Scene) -> None:
    def edit(notebook: dict[str, Any]) -> None:
        cell = _cell(notebook, "injected-parameters")
        cell["source"] = [line.replace("web-1", "web-2") for line in cell["source"]]

    _edit_executed(scene, edit)


@attack("I13")
def a_second_injected_cell_runs_code(scene: Scene) -> None:
    def edit(notebook: dict[str, Any]) -> None:
        cell = deepcopy(_cell(notebook, "injected-parameters")) | {"id": "another", "source": ["host = 'web-9'"]}
        notebook["cells"].insert(4, cell)

    _edit_executed(scene, edit)


@attack(alone="I14")
def a_result_is_hidden(scene: Scene) -> None:
    cut = scene.leaves.index(find(scene.leaves, "finish"))
    scene.hand.write(scene.leaves[:cut])
    scene.pins = Pins(genesis=scene.pins.genesis)
    scene.now = NOW + timedelta(days=2)


@attack(alone="I19")
def a_failure_is_called_a_success(scene: Scene) -> None:
    finish = find(scene.leaves, "finish", 1)
    finish.body.update(outcome="succeeded", rollback="not_needed", exitReason="all_cells_ran", message="")
    finish.message = finish.message.replace("Runbook-Outcome: failed", "Runbook-Outcome: succeeded")
    good = {"outcome": "succeeded", "rollback": "not_needed", "exitReason": "all_cells_ran", "message": ""}
    _edit_manifest(finish, lambda manifest: manifest["result"].update(good))
    scene.hand.write(scene.leaves)


@attack("I19")
def a_cell_that_never_ran_is_left_out_of_the_fates(scene: Scene) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        fates = manifest["result"]["cells"]
        fates.remove(next(one for one in fates if one["id"] == "change-1"))

    _edit_manifest(find(scene.leaves, "finish"), edit)
    scene.hand.write(scene.leaves)


@attack(alone="I19")
def a_change_that_never_ran_is_called_skipped(scene: Scene) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        change = next(one for one in manifest["result"]["cells"] if one["id"] == "change-1")
        change |= {"fate": "skipped", "why": "its condition is not met: no_such_thing"}

    _edit_manifest(find(scene.leaves, "finish"), edit)
    scene.hand.write(scene.leaves)


@attack(alone="I19")
def a_cell_is_said_to_have_run_against_its_condition(scene: Scene) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        cell = next(one for one in manifest["result"]["cells"] if one["id"] == "verify-old")
        cell |= {"fate": "ok", "why": ""}

    _edit_manifest(find(scene.leaves, "finish"), edit)
    scene.hand.write(scene.leaves)


@attack(alone="I20")
def two_runs_start_on_one_target(scene: Scene) -> None:
    leaves = scene.leaves
    first = leaves.index(find(leaves, "finish"))
    place = leaves.index(find(leaves, "start", 1))
    finish = leaves.pop(first)
    leaves.insert(place, finish)  # it is one place earlier now, so this is right after the second start
    _in_order(leaves)
    _rewrite(scene, leaves, first)


@attack(alone="I21")
def the_trailers_lie(scene: Scene) -> None:
    finish = find(scene.leaves, "finish", 1)
    finish.message = finish.message.replace("Runbook-Outcome: failed", "Runbook-Outcome: succeeded")
    finish.touched = True
    _keep_envelopes(scene)


@attack("I21")
def the_manifest_tells_another_story(scene: Scene) -> None:
    _edit_manifest(find(scene.leaves, "finish"), lambda manifest: manifest["request"].update(by=BOB))
    scene.hand.write(scene.leaves)


@attack(alone="I22")
def a_weaker_policy_is_used_for_one_run(scene: Scene) -> None:
    old, new = scene.history.main, _policy(scene, POLICY_TEXT + "\n# stricter some day\n")
    for place, leaf in enumerate(scene.leaves):
        if leaf.type in {"plan", "start"}:
            leaf.touched = True
        if leaf.type == "start":
            leaf.body["policyCommit"] = new if place < 6 else old
    scene.hand.write(scene.leaves)


# Attempts and reverts ----------------------------------------------------------------------------------------------


@attack(alone="I25", on="again")
def a_change_that_is_in_place_is_made_again(scene: Scene) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        change = next(one for one in manifest["result"]["cells"] if one["id"] == "change-1")
        change |= {"fate": "ok", "why": ""}

    _edit_manifest(find(scene.leaves, "finish", 1), edit)
    scene.hand.write(scene.leaves)


@attack("I25", on="again")
def a_change_that_nobody_made_is_said_to_be_done(scene: Scene) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        verify = next(one for one in manifest["result"]["cells"] if one["id"] == "verify-1")
        verify |= {"fate": "skipped", "why": "done in attempt 1"}

    _edit_manifest(find(scene.leaves, "finish", 1), edit)
    scene.hand.write(scene.leaves)


@attack("I21", on="again")
def an_attempt_hides_the_one_before_it(scene: Scene) -> None:
    _edit_manifest(find(scene.leaves, "finish", 1), lambda manifest: manifest.update(previous=None))
    scene.hand.write(scene.leaves)


@attack("I10", on="again")
def a_resumed_run_starts_on_the_approval_of_its_first_attempt(scene: Scene) -> None:
    first, second = find(scene.leaves, "start", 0), find(scene.leaves, "start", 1)
    second.body["approvals"] = first.body["approvals"]
    second.touched = True
    scene.hand.write(scene.leaves)


@attack("I11", on="again")
def a_resume_is_put_into_somebodys_mouth(scene: Scene) -> None:
    resume = find(scene.leaves, "resume")
    resume.body["said"] = find(scene.leaves, "approve").body["said"]
    resume.touched = True
    scene.hand.write(scene.leaves)


@attack("I8", on="again")
def a_run_that_succeeded_is_resumed(scene: Scene) -> None:
    twin = deepcopy(find(scene.leaves, "resume"))
    twin.body["attempt"] = 3
    _append(scene, twin)


@attack("I9", on="again")
def a_revert_undoes_what_its_run_did_not_do(scene: Scene) -> None:
    _edit_plan(scene, lambda plan: plan["undoes"].update(changes=["change-1", "verify-1"]), nth=-1)


@attack("I9", on="again")
def a_revert_names_another_run(scene: Scene) -> None:
    other = find(scene.leaves, "plan").predicate["run"]
    _edit_plan(scene, lambda plan: plan.update(revertOf=other), fields={"revertOf": other}, nth=-1)


@attack("I21", on="again")
def a_revert_does_not_say_so(scene: Scene) -> None:
    _edit_manifest(find(scene.leaves, "finish", -1), lambda manifest: manifest.update(reverts=None))
    scene.hand.write(scene.leaves)


# The kill switch -----------------------------------------------------------------------------------------------------


@attack(alone="I26")
def a_run_starts_while_everything_is_halted(scene: Scene) -> None:
    leaves = scene.leaves
    place = leaves.index(find(leaves, "start"))
    halt = _switch(scene, "halt", number=999, policy=_policy(scene, HALTING))
    halt.predicate["time"], halt.date = deepcopy(leaves[place].predicate["time"]), leaves[place].date
    leaves.insert(place, halt)
    _rewrite(scene, leaves, place)


@attack("I26")
def somebody_halts_who_may_not(scene: Scene) -> None:
    _append(scene, _switch(scene, "halt", number=len(scene.leaves), policy=scene.history.main))


@attack("I26")
def a_halt_is_put_into_somebodys_mouth(scene: Scene) -> None:
    halt = _switch(scene, "halt", number=len(scene.leaves), policy=_policy(scene, HALTING))
    halt.body["said"]["payload"] = halt.body["said"]["signature"] = None
    _append(scene, halt)


@attack("I21")
def a_commit_says_that_somebody_else_halted(scene: Scene) -> None:
    halt = _switch(scene, "halt", number=len(scene.leaves), policy=_policy(scene, HALTING))
    halt.message = halt.message.replace(f"Requested-By: {ALICE}", f"Requested-By: {BOB}")
    _append(scene, halt)


@attack("I26")
def a_halt_is_lifted_that_nobody_has_seen(scene: Scene) -> None:
    unhalt = _switch(scene, "unhalt", number=len(scene.leaves), policy=_policy(scene, HALTING))
    unhalt.body["halt"] = 3
    _append(scene, unhalt)


# Questions ---------------------------------------------------------------------------------------------------------


@attack(on="asked", alone="I27")
def somebody_answers_whom_policy_does_not_let(scene: Scene) -> None:
    answer = find(scene.leaves, "answer")
    answer.body["said"] = _said(scene, ALICE, "/runbook answer q1 yes", issue=7, number=5)
    answer.touched = True
    _edit_manifest(find(scene.leaves, "finish"), lambda manifest: manifest["result"]["answers"][0].update(by=ALICE))
    scene.hand.write(scene.leaves)


@attack("I27", on="asked")
def an_answer_is_not_signed_by_whoever_gave_it(scene: Scene) -> None:
    answer = find(scene.leaves, "answer")
    answer.body["said"]["signature"] = find(scene.leaves, "approve").body["said"]["signature"]
    answer.touched = True
    scene.hand.write(scene.leaves)


@attack("I27", on="asked")
def a_no_is_made_a_yes(scene: Scene) -> None:
    answer = find(scene.leaves, "answer")
    answer.body["said"] = _said(scene, BOB, "/runbook answer q1 no", issue=7, number=5)
    answer.touched = True
    scene.hand.write(scene.leaves)


@attack("I27", on="asked")
def an_answer_comes_after_its_time(scene: Scene) -> None:
    question = find(scene.leaves, "question")
    question.body["until"] = question.predicate["time"]["local"]
    question.touched = True
    scene.hand.write(scene.leaves)


@attack("I27", on="asked")
def a_cell_that_asks_ran_after_a_no(scene: Scene) -> None:
    answer = find(scene.leaves, "answer")
    answer.body["said"] = _said(scene, BOB, "/runbook answer q1 no", issue=7, number=5)
    answer.body["value"] = False
    answer.touched = True
    _edit_manifest(find(scene.leaves, "finish"), lambda manifest: manifest["result"]["answers"][0].update(value=False))
    scene.hand.write(scene.leaves)


@attack("I27", on="asked")
def a_cell_that_asks_ran_and_nobody_was_asked(scene: Scene) -> None:
    left = [leaf for leaf in scene.leaves if leaf.type not in {"question", "answer"}]
    _edit_manifest(find(left, "finish"), lambda manifest: manifest["result"].update(answers=[]))
    _rewrite(scene, left, left.index(find(left, "finish")))


@attack("I27", on="asked")
def the_notebook_sets_another_value_than_was_answered(scene: Scene) -> None:
    def edit(notebook: dict[str, Any]) -> None:
        setter = next(cell for cell in notebook["cells"] if "runbook-answer" in cell["metadata"]["tags"])
        setter["source"] = [line.replace("9", "99") for line in setter["source"]]

    _edit_executed(scene, edit)


@attack("I27", on="asked")
def an_answer_that_nobody_gave_is_set_in_the_notebook(scene: Scene) -> None:
    def edit(notebook: dict[str, Any]) -> None:
        setter = next(cell for cell in notebook["cells"] if "runbook-answer" in cell["metadata"]["tags"])
        notebook["cells"].insert(-1, setter | {"id": "answer-9"})

    _edit_executed(scene, edit)


@attack("I8", on="asked")
def a_question_is_answered_twice(scene: Scene) -> None:
    twin = deepcopy(find(scene.leaves, "answer"))
    scene.leaves.insert(scene.leaves.index(find(scene.leaves, "answer")) + 1, twin)
    _rewrite(scene, scene.leaves, scene.leaves.index(twin))


# The tests ---------------------------------------------------------------------------------------------------------


def _again(history: History) -> None:
    history.resumed()
    history.reverted()


# Break-glass -------------------------------------------------------------------------------------------------------


@attack(on="glass", alone="I11")
def nobody_signed_that_the_glass_be_broken(scene: Scene) -> None:
    said = find(scene.leaves, "plan").body["said"]
    said["payload"] = said["signature"] = None
    find(scene.leaves, "plan").touched = True
    scene.hand.write(scene.leaves)


@attack(on="glass", alone="I10")
def somebody_breaks_the_glass_whom_policy_does_not_name(scene: Scene) -> None:
    commit = _policy(scene, POLICY_TEXT.replace("break_glass", "cancel"))
    find(scene.leaves, "start").body["policyCommit"] = commit
    _edit_plan(scene, lambda plan: plan.update(policyCommit=commit), fields={"policyCommit": commit})


@attack(on="glass", alone="I20")
def what_ran_by_break_glass_is_said_to_have_held_a_lock(scene: Scene) -> None:
    find(scene.leaves, "start").body["locks"] = ["prod/web-1"]
    find(scene.leaves, "start").touched = True
    scene.hand.write(scene.leaves)


@attack("I8", "I10", "I20")
def a_start_without_approvals_is_said_to_have_come_afterwards(scene: Scene) -> None:
    start = find(scene.leaves, "start", -1)
    start.body.update(after=True, approvals=[])
    start.touched = True
    scene.hand.write(scene.leaves)


@attack(on="merged", alone="I28")
def a_start_names_a_commit_that_does_not_hold_what_was_planned(scene: Scene) -> None:
    start = find(scene.leaves, "start")
    start.body["merged"]["commit"] = scene.history.main
    start.touched = True
    scene.hand.write(scene.leaves)


@attack(on="merged", alone="I28")
def what_was_merged_was_taken_off_the_branch(scene: Scene) -> None:
    scene.hand.git("update-ref", "refs/heads/main", scene.history.main)


@attack(on="merged", alone="I28")
def more_was_merged_than_was_planned(scene: Scene) -> None:
    merged = scene.hand.git("rev-parse", "main").decode().strip()
    index = {"GIT_INDEX_FILE": str(scene.hand.repository / ".git" / "more-index")}
    scene.hand.git("read-tree", merged, env=index)
    oid = scene.hand.git("hash-object", "-w", "--stdin", stdin=b"more").decode().strip()
    scene.hand.git("update-index", "--add", "--cacheinfo", f"100644,{oid},infra/b.txt", env=index)
    tree = scene.hand.git("write-tree", env=index).decode().strip()
    date = {"GIT_AUTHOR_DATE": "@1700000000 +0000", "GIT_COMMITTER_DATE": "@1700000000 +0000"}
    commit = scene.hand.git("commit-tree", tree, "-p", scene.history.main, "-m", "more", env=date).decode().strip()
    scene.hand.git("update-ref", "refs/heads/main", commit)
    start = find(scene.leaves, "start")
    start.body["merged"]["commit"] = commit
    start.touched = True
    scene.hand.write(scene.leaves)


@attack(on="merged", alone="I28")
def the_proposed_bytes_are_others_than_those_of_the_plan(scene: Scene) -> None:
    find(scene.leaves, "plan").put("proposal.json", b'{"infra/a.txt": "newer\\n"}\n')
    scene.hand.write(scene.leaves)


@attack("I28", on="merged")
def a_yes_is_said_to_come_from_another_review(scene: Scene) -> None:
    approve = find(scene.leaves, "approve")
    approve.body["said"]["comment"] = f"review/!7/{BOB}"
    approve.touched = True
    scene.hand.write(scene.leaves)


@attack("I11", on="merged")
def somebody_is_said_to_have_merged_who_did_not_sign_it(scene: Scene) -> None:
    approve, start = find(scene.leaves, "approve"), find(scene.leaves, "start")
    comment = approve.body["said"]["comment"].replace(BOB, ALICE)
    approve.body["said"].update(by=ALICE, comment=comment)
    start.body["merged"]["by"] = ALICE
    approve.touched = start.touched = True
    scene.hand.write(scene.leaves)


@attack("I10", "I28", on="merged")
def a_start_names_no_merge(scene: Scene) -> None:
    start = find(scene.leaves, "start")
    start.body["merged"] = None
    start.touched = True
    scene.hand.write(scene.leaves)


MADE: dict[str, Callable[[History], object] | None] = {
    "valid": None,
    "again": _again,
    "asked": History.asked,
    "glass": History.glass,
    "merged": History.merged,
}
"""The valid records that are attacked: one with everything once, and those of what is more than that."""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], History]:
    """A valid record by its name, made when it is first asked for."""

    @cache
    def made(name: str) -> History:
        history = a_history(tmp_path_factory.mktemp(name), make=MADE[name])
        generate(history.path.parent / f"keys-{history.project}" / "stranger")
        history.close()
        return history

    return made


@pytest.fixture(scope="module")
def scene(history: Callable[[str], History], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Scene]:
    """An attack by its name, carried out once on a copy of its own, when it is first asked for."""

    @cache
    def made(name: str) -> Scene:
        one = ATTACKS[name]
        valid = history(one.on)
        copy = tmp_path_factory.mktemp("attack") / "ops"
        shutil.copytree(valid.path, copy)
        keys = {key: valid.path.parent / f"keys-{valid.project}" / key for key in (*valid.keys, "stranger")}
        hand = Hand(repository=copy, keys=keys)
        leaves = hand.read()
        witness = {number: sha(leaf.envelope) for number, leaf in enumerate(leaves) if number == len(leaves) - 1}
        pins = Pins(genesis=sha(leaves[0].envelope))
        if one.alone == "I17":
            pins = replace(pins, witness=witness)
        scene = Scene(hand=hand, leaves=leaves, history=valid, pins=pins)
        one.do(scene)
        return scene

    return made


def judge(scene: Scene, *, without: str | None = None) -> Report:
    checks = tuple(check for check in CHECKS if check.number != without)
    with opened("", at=scene.hand.repository) as source:
        return verify(source, now=scene.now, pins=scene.pins, deep=True, checks=checks, processes=1)


@pytest.mark.parametrize("name", MADE)
def test_the_valid_record_is_clean(history: Callable[[str], History], name: str) -> None:
    with opened("", at=history(name).path) as source:
        report = verify(source, now=NOW, deep=True)
    assert report.standing is Standing.CLEAN, [one for line in report.lines for one in line.violations]


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_is_seen(name: str, scene: Callable[[str], Scene]) -> None:
    report = judge(scene(name))
    said = [f"{one.invariant} {one.file}: {one.wrong}" for line in report.lines for one in line.violations]
    assert report.exit_code == 1
    assert set(ATTACKS[name].seen) <= set(report.violated()), said
    if ATTACKS[name].alone:
        assert report.violated() == (ATTACKS[name].alone,), said


@pytest.mark.parametrize("number", [check.number for check in CHECKS if check.number not in {"I23", "I24"}])
def test_the_check_is_needed(number: str, scene: Callable[[str], Scene]) -> None:
    passed = [
        name
        for name, one in ATTACKS.items()
        if one.alone == number and judge(scene(name), without=number).exit_code == 0
    ]
    assert passed, f"without {number} every attack is still seen, so nothing shows that it works"


def test_there_are_attacks_enough() -> None:
    assert len(ATTACKS) >= 24


# How attackers work ------------------------------------------------------------------------------------------------


def _keep_envelopes(scene: Scene) -> None:
    """Write the commits anew and leave every signed event as it is."""
    for leaf in scene.leaves:
        leaf.raw = True
    scene.hand.write(scene.leaves, relink=False)


def _rewrite(scene: Scene, leaves: list[Leaf], place: int) -> None:
    """Number, link, date and sign everything anew from a place on; what names event numbers is put right."""
    before = [leaf.predicate["chain"]["seq"] for leaf in leaves]
    moved = {old: new for new, old in reversed(list(enumerate(before)))}
    leaves[place].touched = True
    for leaf in leaves[place:]:
        for name in ("start", "interrupt", "approval"):
            if name in leaf.body:
                leaf.body[name] = moved.get(leaf.body[name], leaf.body[name])
        if "approvals" in leaf.body:
            leaf.body["approvals"] = [moved.get(one, one) for one in leaf.body["approvals"]]
        if leaf.type == "finish":
            _edit_manifest(leaf, lambda manifest: _renumber(manifest, moved))
    scene.hand.write(leaves, renumber=True)


def _renumber(manifest: dict[str, Any], moved: dict[int, int]) -> None:
    start = manifest["execution"]["startEvent"]
    manifest["execution"]["startEvent"] = moved.get(start, start)
    for approval in manifest["approvals"]:
        approval["event"] = moved.get(approval["event"], approval["event"])


def _in_order(leaves: list[Leaf]) -> None:
    """Give the times back in order, with their commits' dates."""
    times = sorted((leaf.predicate["time"]["local"], leaf.date) for leaf in leaves)
    for leaf, (time, date) in zip(leaves, times, strict=True):
        leaf.predicate["time"]["local"], leaf.date = time, date


def _append(scene: Scene, leaf: Leaf) -> None:
    last = scene.leaves[-1]
    leaf.commit, leaf.date = "", last.date
    leaf.predicate["time"] = deepcopy(last.predicate["time"])
    scene.hand.number(leaf, len(scene.leaves))
    scene.hand.write([*scene.leaves, leaf])


def _edit_json(leaf: Leaf, ending: str, edit: Callable[[dict[str, Any]], object]) -> bytes:
    found = json.loads(leaf.files[leaf.file(ending)])
    edit(found)
    data = pretty(found)
    leaf.put(ending, data)
    return data


def _edit_manifest(leaf: Leaf, edit: Callable[[dict[str, Any]], object]) -> None:
    leaf.body["manifest"] = sha(_edit_json(leaf, "manifest.json", edit))


def _edit_executed(scene: Scene, edit: Callable[[dict[str, Any]], object]) -> None:
    finish = find(scene.leaves, "finish")
    data = _edit_json(finish, "executed.ipynb", edit)

    def fit(manifest: dict[str, Any]) -> None:
        entry = next(one for one in manifest["files"] if one["path"].endswith("executed.ipynb"))
        entry.update(sha256=sha(data), size=len(data))

    _edit_manifest(finish, fit)
    scene.hand.write(scene.leaves)


def _cell(notebook: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(cell for cell in notebook["cells"] if cell["id"] == name)
    return found


def _edit_plan(
    scene: Scene, edit: Callable[[dict[str, Any]], object], *, fields: dict[str, str] | None = None, nth: int = 0
) -> None:
    """Change a plan and everything that speaks of it, down to the approver's own words."""
    leaf = find(scene.leaves, "plan", nth)
    old = leaf.body["planDigest"]
    new = sha(_edit_json(leaf, "plan.json", edit))
    plan = json.loads(leaf.files[leaf.file("plan.json")])
    leaf.body.update(fields or {})
    for one in scene.leaves:
        if one.predicate["run"] != leaf.predicate["run"]:
            continue
        one.touched = True
        one.message = one.message.replace(old, new)
        if "planDigest" in one.body:
            one.body["planDigest"] = new
        for subject in one.statement["subject"]:
            if subject["digest"]["sha256"] == old:
                subject["digest"]["sha256"] = new
        if one.type == "approve":
            issue = int(leaf.body["issue"])
            one.body["said"] = _said(scene, BOB, f"/runbook approve {new[:12]}", issue=issue, number=1)
        if one.type in {"finish", "late"}:
            same = {"planDigest": new, "runbook": plan["runbook"], "request": plan["requested"]}
            _edit_manifest(one, lambda manifest, same=same: manifest.update(same))  # type: ignore[misc] # a default binds it
    scene.hand.write(scene.leaves)


def _said(scene: Scene, who: str, body: str, *, issue: int, number: int) -> dict[str, Any]:
    entry = {"author": who, "body": body, "issue": issue, "number": number, "project": scene.history.project}
    payload = pretty(entry)
    armoured = scene.hand.ssh(payload, key=who, namespace="runbook-comment")
    return {
        "by": who,
        "comment": f"{issue}/{number}",
        "verified": True,
        "payload": base64.b64encode(payload).decode(),
        "signature": base64.b64encode(armoured.encode()).decode(),
    }


def _note(scene: Scene, number: int, *, key: str, when: int) -> Leaf:
    leaf = deepcopy(scene.leaves[-1])
    leaf.commit, leaf.key, leaf.commit_key = "", key, key
    leaf.date += when
    leaf.predicate["time"]["local"] = iso(
        datetime.fromisoformat(leaf.predicate["time"]["local"]) + timedelta(seconds=when)
    )
    scene.hand.number(leaf, number)
    return leaf


HALTING = 'halt = ["@ops"]\n' + POLICY_TEXT


def _switch(scene: Scene, kind: str, *, number: int, policy: str) -> Leaf:
    """A halt or an unhalt that Alice has signed."""
    leaf = _note(scene, number, key="runner", when=0)
    leaf.predicate["type"] = kind
    leaf.predicate["body"] = {
        "requestKey": f"local:{scene.history.project}:7/5:1",
        "policyCommit": policy,
        "issue": "7",
        "said": _said(scene, ALICE, f"/runbook {kind} smoke", issue=7, number=5),
        "reason": "smoke",
    }
    leaf.message = leaf.message.replace("Runbook-Type: note", f"Runbook-Type: {kind}")
    leaf.message += f"Runbook-Issue: 7\nRequested-By: {ALICE}\n"
    return leaf


def _keys(scene: Scene, *, first: str) -> list[Leaf]:
    """A second key comes in, and the first one goes."""
    made = []
    for place, (key, action) in enumerate((("second", "add"), (first, "revoke"))):
        leaf = _note(scene, len(scene.leaves) + place, key="runner", when=1 + place)
        public = scene.hand.public(key)
        leaf.predicate["type"] = "key"
        leaf.predicate["body"] = {"key": public, "action": action}
        leaf.statement["subject"] = [{"name": "key", "digest": {"sha256": sha(public.encode())}}]
        leaf.message = leaf.message.replace("Runbook-Type: note", "Runbook-Type: key")
        made.append(leaf)
    return made


def _tree(scene: Scene) -> str:
    return scene.hand.git("rev-parse", f"{scene.leaves[-1].commit}^{{tree}}").decode().strip()


def _unreviewed(scene: Scene, runbook: bytes) -> str:
    """A commit with the same runbook that is on no branch."""
    tree = scene.hand.git("rev-parse", f"{scene.history.main}^{{tree}}").decode().strip()
    date = {"GIT_AUTHOR_DATE": "@1700000000 +0000", "GIT_COMMITTER_DATE": "@1700000000 +0000"}
    assert scene.hand.git("cat-file", "blob", f"{tree}:runbooks/disk-cleanup.ipynb") == runbook
    return scene.hand.git("commit-tree", tree, "-m", "not reviewed", env=date).decode().strip()


def _policy(scene: Scene, text: str, *, people: str | None = None) -> str:
    """A newer policy on the code branch."""
    index = {"GIT_INDEX_FILE": str(scene.hand.repository / ".git" / "policy-index")}
    scene.hand.git("read-tree", scene.history.main, env=index)
    files = {"runbooks/policy.toml": text} | ({"runbooks/allowed_signers": people} if people else {})
    for path, content in files.items():
        oid = scene.hand.git("hash-object", "-w", "--stdin", stdin=content.encode()).decode().strip()
        scene.hand.git("update-index", "--add", "--cacheinfo", f"100644,{oid},{path}", env=index)
    tree = scene.hand.git("write-tree", env=index).decode().strip()
    date = {"GIT_AUTHOR_DATE": "@1700000000 +0000", "GIT_COMMITTER_DATE": "@1700000000 +0000"}
    commit = scene.hand.git("commit-tree", tree, "-p", scene.history.main, "-m", "policy", env=date).decode().strip()
    scene.hand.git("update-ref", "refs/heads/main", commit)
    return commit


def _with_policy(scene: Scene, commit: str) -> None:
    """Judge the last start by another policy."""
    start = find(scene.leaves, "start", -1)
    start.body["policyCommit"] = commit
    start.touched = True
    scene.hand.write(scene.leaves)
