"""Bad input, place by place: what is said, who acts next, and that nothing is lost and a correct try works afterwards.

`tests/cli/test_bad_input.py` goes through the exit codes; these are the stories with a beginning and an end.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from runner.cli.main import run
from runner.ledger.bodies import Status
from runner.plan.run import RunState
from tests.runbook.notebooks import code, raw
from tests.stories import runbooks
from tests.stories.world import Said, World, git

Type = Callable[..., Said]
STATE = "states/home/lab-00000000"


@pytest.fixture
def typed(world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Type:
    """Type a command in this process; whatever it says is never a traceback."""
    monkeypatch.delenv("RUNBOOK_DEBUG", raising=False)

    def type_(*words: str, person: str = "alice") -> Said:
        capsys.readouterr()
        with world.on(person=person, words=words):
            code_ = run(["-C", str(world.clone(person)), *words])
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        return Said(code=code_, out=said.out, err=said.err)

    return type_


def told(said: Said, *, code: int, doing: str, wrong: str, hint: str) -> None:
    """Assert that an error has its three parts and says who acts next."""
    first, _, then = said.err.partition("\n  try: ")
    assert (said.code, doing in first, wrong in first, hint in then) == (code, True, True, True), said


def branches(world: World) -> dict[str, str]:
    """Where every branch of the remote is."""
    lines = git(world.remote, "for-each-ref", "--format=%(refname) %(objectname)").decode().splitlines()
    return dict(line.split(" ", 1) for line in lines)


def works(world: World) -> None:
    """Assert that what is in Git is whole, and that a correct request is planned once."""
    git(world.remote, "fsck", "--strict", "--no-dangling")
    before = len(world.runs())
    issue = world.planned("count", host="web-9")
    assert world.run(issue).state is RunState.PLANNED
    assert len(world.runs()) == before + 1
    world.check()


def refused(world: World, name: str, **parameters: str) -> str:
    """Ask for something that cannot be planned; the one answer that it gets, on a ledger that stays as it was."""
    before = branches(world)["refs/heads/evidence"]
    values = {"folder": str(world.traces), **parameters}
    lines = [f"  {key}: {json.dumps(value)}" for key, value in values.items()]
    block = "\n".join(["```runbook", f"runbook: {json.dumps(name)}", "parameters:", *lines, "```", ""])
    issue = world.open_issue("alice", "Please", block)
    world.reconcile()
    world.reconcile()
    (answer,) = [one.body for one in world.thread(issue).comments if one.ours]
    assert branches(world)["refs/heads/evidence"] == before
    return answer


# Names: nothing but a notebook of the protected branch can be asked for, by its exact name.


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("coumt", ["there is no runbook of that name", "Did you mean count"]),
        ("nothing-like-it", ["there is no runbook of that name", "There are: count"]),
        ("../count", ["not a runbook's name", "runbook list"]),
        ("a/../../count", ["not a runbook's name"]),
        ("/etc/passwd", ["not a runbook's name"]),
        ("count.ipynb", ["without its ending", "Did you mean count"]),
        ("runbooks/count", ["there is no runbook", "count"]),
        ("c\u043eunt", ["not a runbook's name", "ASCII"]),
        ("https://example.org/x.ipynb", ["not a runbook's name"]),
        ("file:///etc/passwd", ["not a runbook's name"]),
        ("~/count", ["not a runbook's name"]),
        ("count\\..\\x", ["not a runbook's name"]),
        ("count\u202etnuoc", ["not a runbook's name"]),
        ("", ["no runbook is named"]),
        ("-count", ["not a runbook's name"]),
    ],
)
def test_a_name_that_is_no_runbook_is_refused_with_the_reason_and_what_to_try(
    world: World, name: str, words: list[str]
) -> None:
    answer = refused(world, name)
    assert all(word in answer for word in words), answer
    assert "\u202e" not in answer
    assert "/etc/passwd\n" not in answer


def test_links_and_submodules_are_never_followed(world: World) -> None:
    clone = world.clone("alice")
    git(clone, "pull", "-q", "--ff-only", "origin", "main")
    (clone / "runbooks" / "link.ipynb").symlink_to("count.ipynb")
    (clone / "runbooks" / "out.ipynb").symlink_to("/etc/passwd")
    (clone / "runbooks" / "folder").symlink_to("/etc")
    git(clone, "add", "-A")
    head = git(clone, "rev-parse", "HEAD").decode().strip()
    git(clone, "update-index", "--add", "--cacheinfo", f"160000,{head},runbooks/module")
    git(clone, "commit", "-q", "-m", "links")
    git(clone, "push", "-q", "origin", "HEAD:main")
    for name, kind in (("link", "symbolic link"), ("out", "symbolic link"), ("module", "submodule")):
        answer = refused(world, name)
        assert kind in answer
        assert "only regular files" in answer
    assert "there is no runbook" in refused(world, "folder/passwd")
    assert "there is no runbook" in refused(world, "module/x")
    works(world)


# Notebooks


def a_notebook(**changes: object) -> bytes:
    """A runbook that would be planned as it is, with changes at its top level."""
    plain: dict[str, object] = json.loads(runbooks.COUNT)
    return json.dumps({key: value for key, value in (plain | changes).items() if value is not None}).encode()


OLD = b'{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}'
SPEC_OF_R = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}, "language_info": {"name": "R"}}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", ["not JSON"]),
        (b'{"nbformat": 4, "nbformat": 4}', ["twice"]),
        (b"\xff\xfe", ["not"]),
        (
            OLD,
            ["notebook format 3.0", "jupyter nbconvert --to notebook --nbformat 4"],
        ),
        (a_notebook(nbformat=5), ["notebook format 5"]),
        (a_notebook(metadata=SPEC_OF_R), ["R", "Python"]),
        (a_notebook(cells=None), ["cells"]),
    ],
    ids=["torn", "doubled key", "not text", "nbformat 3", "nbformat 5", "another language", "no cells"],
)
def test_a_notebook_that_cannot_be_read_is_refused_and_the_corrected_one_is_planned(
    world: World, content: bytes, words: list[str]
) -> None:
    world.commit({"runbooks/new.ipynb": content})
    answer = refused(world, "new")
    assert "reading the runbook new" in answer
    assert all(word in answer for word in words), answer
    world.commit({"runbooks/new.ipynb": runbooks.COUNT})
    assert world.run(world.planned("new")).state is RunState.PLANNED


def test_an_older_notebook_and_one_without_a_kernel_run(world: World) -> None:
    old = json.loads(a_notebook(nbformat_minor=4, metadata={}))
    for cell in old["cells"]:
        cell.pop("id", None)
    world.commit({"runbooks/old.ipynb": json.dumps(old)})
    issue = world.done("old")
    assert (world.run(issue).outcome, world.times()) == (Status.SUCCEEDED, 1)
    executed = json.loads(git(world.remote, "show", f"evidence:{executed_path(world, issue)}"))
    assert executed["nbformat_minor"] in {4, 5}


def executed_path(world: World, issue: str) -> str:
    """Where an issue's executed notebook is."""
    names = git(world.remote, "ls-tree", "-r", "--name-only", "evidence").decode().splitlines()
    (path,) = [name for name in names if world.run(issue).id in name and name.endswith("executed.ipynb")]
    return path


# Parameters and bodies


TYPED = runbooks.header("Typed", target="lab/x", more="irreversible: a line is a line").replace(
    "examples: {folder: /tmp}", "examples: {folder: /tmp, days: 3}"
)


def test_every_wrong_parameter_is_told_at_once_with_what_would_be_accepted(world: World) -> None:
    cells = [
        raw(TYPED),
        code(
            "from runner.toolkit import Annotated, Field, Literal\n\nfolder: str  # where\n"
            "days: Annotated[int, Field(ge=1, le=30)]  # how many\n"
            'where: Literal["staging", "production"] = "staging"  # which\n',
            "parameters",
        ),
        code(runbooks.trace("count"), "change"),
    ]
    world.commit({"runbooks/typed.ipynb": a_notebook(cells=cells)})
    answer = refused(world, "typed", days="many", where="moon", undeclared="1")
    for words in ("days", "many", "where", "moon", "staging", "undeclared"):
        assert words in answer, answer
    assert "31" not in refused(world, "typed", days="0")
    assert "days" in refused(world, "typed")
    assert world.run(world.planned("typed", days="7")).state is RunState.PLANNED


BOMB = "\n".join(
    ["a0: &a0 [x,x,x,x,x,x,x,x]", *(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 12))]
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"runbook: count\nparameters:\n  {BOMB.replace(chr(10), chr(10) + '  ')}", ["anchor"]),
        ("runbook: count\nparameters: !!python/object/apply:os.system [touch /tmp/owned]", ["tag"]),
        ("runbook: count\nrunbook: fail", ["twice"]),
        ("runbook: count\nparameters:\n  a: " + "[" * 500 + "]" * 500, ["deep"]),
        ("runbook: count\nparameters:\n\tfolder: x", ["line"]),
        ("- count", ["line 2", "key: value"]),
        ("runbook: count\nelse: 1", ["else", "not a key of a request"]),
    ],
    ids=["bomb", "tag", "doubled", "deep", "tab", "list", "key"],
)
def test_a_request_that_is_no_strict_yaml_is_answered_once_and_carried_out_never(
    world: World, text: str, words: list[str]
) -> None:
    issue = world.open_issue("alice", "Please", f"```runbook\n{text}\n```\n")
    world.reconcile()
    world.reconcile()
    (answer,) = [one.body for one in world.thread(issue).comments if one.ours]
    assert all(word in answer for word in words), answer
    works(world)


def test_a_body_of_two_megabytes_is_refused_before_it_is_written(world: World, typed: Type, tmp_path: Path) -> None:
    large = tmp_path / "large.md"
    large.write_text("x" * 2_000_000)
    before = branches(world)
    told(
        typed("issue", "new", "Large", "--file", str(large)),
        code=2,
        doing="opening an issue",
        wrong="2,000,000 characters",
        hint="",
    )
    assert typed("run", "count", f"folder={'x' * 2_000_000}").code == 2
    issue = world.ask("count")
    told(
        typed("issue", "comment", issue, "--file", str(large)),
        code=2,
        doing="comment",
        wrong="1,000,000 is the most",
        hint="",
    )
    assert branches(world)["refs/heads/evidence"] == before["refs/heads/evidence"]
    assert len(world.thread(issue).comments) == 1
    world.reconcile()
    works(world)


# Clones


def test_a_dirty_clone_is_not_asked_and_not_touched(world: World, typed: Type) -> None:
    clone = world.clone("alice")
    git(clone, "pull", "-q", "--ff-only", "origin", "main")
    (clone / "runbooks" / "count.ipynb").write_text("{")
    (clone / "runbooks" / "untracked.ipynb").write_bytes(runbooks.COUNT)
    (clone / "runbooks" / "look.ipynb").unlink()
    git(clone, "rm", "-q", "--cached", "runbooks/fail.ipynb")
    before = git(clone, "status", "--porcelain")
    issue = world.ask("count")
    assert typed("reconcile", "--once").code == 0
    assert world.run(issue).state is RunState.PLANNED
    assert git(clone, "status", "--porcelain") == before
    assert "there is no runbook" in refused(world, "untracked")
    assert (clone / "runbooks" / "count.ipynb").read_text() == "{"


COMMANDS = ("status", "log", "policy", "list", "reconcile --once", "run count", "init", "issue list", "init --join")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_shallow_clone_is_told_how_to_become_whole(world: World, typed: Type, command: str) -> None:
    world.commit({"note": "more than one commit"})
    shutil.rmtree(world.clone("alice"))
    subprocess.run(["git", "clone", "-q", "--depth=1", world.remote.as_uri(), str(world.clone("alice"))], check=True)
    before = branches(world)
    told(typed(*command.split()), code=6, doing="opening", wrong="shallow", hint="git fetch --unshallow")
    assert branches(world) == before
    git(world.clone("alice"), "fetch", "-q", "--unshallow")
    assert typed("status").code == 0


@pytest.mark.parametrize("command", [one for one in COMMANDS if one != "init"])
def test_an_empty_clone_is_told_where_to_begin(world: World, typed: Type, command: str) -> None:
    shutil.rmtree(world.clone("alice"))
    subprocess.run(["git", "init", "-q", "-b", "main", str(world.clone("alice"))], check=True)
    said = typed(*command.split())
    assert said.code in {2, 6}
    assert "\n  try: " in said.err
    assert "there is no branch main" in said.err or "nothing is committed yet" in said.err


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new clone without a remote, with a person in it and nothing else."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("RUNBOOK_STATE", str(tmp_path / "state"))
    path = tmp_path / "alone"
    git(tmp_path, "init", "-q", "-b", "main", str(path))
    for setting, value in (("user.name", "Alice"), ("user.email", "alice@example.org")):
        git(path, "config", setting, value)
    return path


def test_without_a_remote_the_clone_is_its_own(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(alone), "init"]) == 0
    assert run(["-C", str(alone), "init"]) == 0, "repeating it changes nothing"
    assert git(alone, "rev-list", "--count", "evidence") == b"1\n"
    assert run(["-C", str(alone), "issue", "new", "Hello", "--body", "words"]) == 0
    assert run(["-C", str(alone), "reconcile", "--once"]) == 0
    assert run(["-C", str(alone), "verify"]) == 0
    assert "Traceback" not in capsys.readouterr().err


def test_somebody_whom_git_does_not_know_is_told_how_to_say_who_they_are(
    alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(alone, "config", "--unset", "user.email")
    assert run(["-C", str(alone), "init"]) == 6
    said = capsys.readouterr().err
    assert "setting the repository up" in said
    assert "try: git config user.email" in said
    assert git(alone, "for-each-ref") == b""


# What a machine can do to us: a disk that is full, or may only be read


def in_a_room(world: World, mount: str, *commands: str) -> Iterator[Said]:
    """Run commands in a mount namespace of their own, one after the other, after a mount in it."""
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("machine: no mount namespaces here")
    runbook = f"{sys.executable} -m runner.cli.main -C {world.clone('alice')}"
    script = ["set -e", mount]
    for number, one in enumerate(commands):
        line = one.replace("runbook", runbook, 1)
        script.append(f"code=0; {{ {line}; }} >{world.folder}/{number}.out 2>{world.folder}/{number}.err || code=$?")
        script.append(f"echo $code >{world.folder}/{number}.code")
    words = ["unshare", "-rm", "bash", "-c", "\n".join(script)]
    done = subprocess.run(words, env=os.environ | world.environment(), check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for number in range(len(commands)):
        code_, out, err = ((world.folder / f"{number}.{kind}").read_text() for kind in ("code", "out", "err"))
        assert "Traceback" not in out + err
        yield Said(code=int(code_), out=out, err=err)


def test_a_clone_that_may_only_be_read_can_be_looked_at_and_says_so_when_it_is_written_to(world: World) -> None:
    waiting = world.planned()
    asked = world.ask("count", host="web-2")
    before = branches(world)
    clone = world.clone("alice")
    looks = ("runbook status", "runbook log", "runbook list", "runbook show count", "runbook verify", "runbook policy")
    writes = ("runbook reconcile --once", "runbook run count folder=/tmp", "runbook new x")
    said = list(in_a_room(world, f"mount --bind {clone} {clone}; mount -o remount,bind,ro {clone}", *looks, *writes))
    assert [one.code for one in said[: len(looks)]] == [0] * len(looks), said
    assert world.run(waiting).id in said[1].out
    for one in said[len(looks) :]:
        assert one.code == 5, one
        assert "read-only" in one.err.lower(), one
        assert "\n  try: " in one.err
        assert "mistake in the runner" not in one.err
    assert branches(world)["refs/heads/evidence"] == before["refs/heads/evidence"]
    world.reconcile()
    assert world.run(asked).state is RunState.PLANNED
    works(world)


@pytest.mark.parametrize("full", ["remote.git", "alice", "states"])
def test_a_full_disk_is_said_and_what_was_to_be_done_is_done_when_there_is_room(world: World, full: str) -> None:
    asked = world.ask("look")
    (world.traces / "state").write_text("three files")
    place = world.folder / full
    room = world.folder / "room"
    shutil.copytree(place, room, symlinks=True)
    mount = (
        f"mount -t tmpfs -o size=24m none {place}; cp -a {room}/. {place}; "
        f"head -c 30m /dev/zero >{place}/filler 2>/dev/null || true"
    )
    commands = (
        "runbook reconcile --once",
        "runbook log",
        f"rm {place}/filler",
        "runbook reconcile --once --json",
    )
    keep = f"cp -a {place}/. {room}"
    at_first, looked, _, later, _ = in_a_room(world, mount, *commands, keep)
    assert looked.code in ({5} if full == "states" else {0}), looked
    assert "mistake in the runner" not in looked.err, looked
    assert at_first.code == 5, at_first
    assert "\n  try: " in at_first.err, at_first
    assert "mistake in the runner" not in at_first.err, at_first
    assert later.code == 0, later
    shutil.rmtree(place)
    room.rename(place)
    assert world.run(asked).state is RunState.PLANNED
    assert [event.type for event in world.events()] == ["genesis", "plan"]
    works(world)


# Remotes


WRITES = ("issue new Title", "run count folder=/tmp", "reconcile --once")


@pytest.mark.parametrize("command", WRITES)
def test_a_remote_that_is_away_is_said_and_nothing_is_half_done(world: World, typed: Type, command: str) -> None:
    issue = world.ask("count")
    world.remote.rename(world.folder / "elsewhere")
    said = typed(*command.split())
    (world.folder / "elsewhere").rename(world.remote)
    assert said.code == 5, said
    assert "remote" in said.err
    assert "try: check that the remote can be reached" in said.err
    assert "does not appear to be a git repository" in said.err
    assert len(world.thread(issue).comments) == 1
    world.reconcile()
    assert len(world.runs()) == 1
    works(world)


def test_with_the_remote_away_what_is_here_can_still_be_read(world: World, typed: Type) -> None:
    run_id = world.run(world.planned()).id
    world.remote.rename(world.folder / "elsewhere")
    for command in ("status", "log", f"show {run_id}", "list", "policy", "verify"):
        assert typed(*command.split()).code == 0, command
    assert run_id in typed("log").out


@pytest.mark.parametrize("branch", ["evidence", "issues", "main"])
def test_a_push_that_is_refused_is_the_operators_and_is_made_up_for(world: World, typed: Type, branch: str) -> None:
    asked = world.ask("count")
    before = branches(world)
    hook = world.remote / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\nwhile read old new ref; do\n  [ $ref != refs/heads/{branch} ] || exit 1\ndone\n")
    hook.chmod(0o755)
    said = typed("reconcile", "--once")
    if branch == "main" or (branch == "issues" and world.on_gitlab):
        assert said.code == 0, "nobody pushes there but people, or nobody at all"
    else:
        told(said, code=6, doing=f"pushing to {branch}", wrong="hook declined", hint=f"right to push to {branch}")
    assert branches(world).get(f"refs/heads/{branch}") == before.get(f"refs/heads/{branch}")
    hook.unlink()
    world.reconcile()
    assert len(world.runs()) == 1
    assert len(world.thread(asked).comments) == 2
    works(world)


# Policy, keys, configuration


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"runbooks/policy.toml": None}, ["there is no runbooks/policy.toml"]),
        ({"runbooks/policy.toml": "[[rule]"}, ["policy", "line 1"]),
        ({"runbooks/policy.toml": "identity = 7\n"}, ["identity"]),
        ({"runbooks/policy.toml": ""}, []),
        ({"runbooks/allowed_signers": None}, ["alice@example.org"]),
    ],
    ids=["no policy", "no TOML", "wrong type", "empty", "no signers"],
)
def test_without_policy_or_people_nothing_is_planned_and_the_reason_is_on_the_issue(
    world: World, files: Mapping[str, bytes | str | None], words: list[str]
) -> None:
    if world.on_gitlab and "runbooks/allowed_signers" in files:
        return  # GitLab knows its people by itself
    good = {name: (world.clone("alice") / name).read_bytes() for name in files}
    world.commit(files)
    answer = refused(world, "count")
    assert all(word in answer for word in words), answer
    world.commit(good)
    works(world)


def test_a_malformed_list_of_people_is_the_operators_and_names_the_line(world: World, typed: Type) -> None:
    asked = world.ask("count")
    good = (world.clone("alice") / "runbooks/allowed_signers").read_bytes()
    world.commit({"runbooks/allowed_signers": good + b"alice@example.org not a key\n"})
    before = branches(world)
    for command in ("issue new Title", "reconcile --once", "run count"):
        told(typed(*command.split()), code=6, doing="reading allowed_signers", wrong="line 4", hint="")
    assert branches(world) == before
    world.commit({"runbooks/allowed_signers": good})
    world.reconcile()
    assert world.run(asked).state is RunState.PLANNED


@pytest.mark.parametrize(
    ("text", "wrong", "hint"),
    [
        ("[tool.runbook", "", "protected branch"),
        ("tool.runbook = 3\n", "not a table", ""),
        ('[tool.runbook]\nproject = "lab-00000000"\nleese = 5\n', "leese is not a setting", "settings are"),
        ('[tool.runbook]\nproject = 7\nlease = "x"\n', "lease must be of type int", "settings are"),
    ],
    ids=["no TOML", "no table", "unknown", "wrong types"],
)
@pytest.mark.parametrize("command", ["status", "reconcile --once", "run count", "issue list", "log", "init"])
def test_a_malformed_setting_is_the_operators(
    world: World, typed: Type, *, command: str, text: str, wrong: str, hint: str
) -> None:
    world.commit({"pyproject.toml": text})
    told(typed(*command.split()), code=6, doing="reading [tool.runbook]", wrong=wrong, hint=hint)


def key_of(world: World) -> Path:
    """This machine's key."""
    return world.folder / STATE / "key"


def replaced(text: str) -> Callable[[World], None]:
    """Put something else into the key's file."""

    def replace(world: World) -> None:
        key_of(world).write_text(text)

    return replace


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (lambda world: key_of(world).unlink(), ["no signing key", "runbook init"]),
        (lambda world: key_of(world).chmod(0o644), ["others", "chmod"]),
        (replaced(""), ["key"]),
        (replaced("nonsense"), ["key"]),
        (replaced("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"), ["key"]),
    ],
    ids=["missing", "readable by others", "empty", "nonsense", "torn"],
)
def test_a_machine_without_a_good_key_writes_nothing(
    world: World, typed: Type, *, broken: Callable[[World], None], words: list[str]
) -> None:
    kept = key_of(world).read_bytes()
    asked = world.ask("count")
    before = branches(world)
    broken(world)
    said = typed("reconcile", "--once")
    assert said.code == 6, said
    assert all(word in said.err for word in words), said
    assert "\n  try: " in said.err
    assert "AAAA" not in said.err
    assert branches(world) == before
    key_of(world).write_bytes(kept)
    key_of(world).chmod(0o600)
    world.reconcile()
    assert world.run(asked).state is RunState.PLANNED


def test_a_persons_key_that_is_not_there_is_told_with_what_to_try(world: World, typed: Type) -> None:
    before = branches(world)
    (world.folder / "alice.key.pub").unlink()
    (world.folder / "alice.key").unlink()
    said = typed("issue", "new", "Title")
    assert said.code in {5, 6}, said
    assert "key" in said.err
    assert "\n  try: " in said.err
    assert branches(world) == before


# Tracebacks


@pytest.mark.parametrize("words", [["show", "nothing"], ["log", "--since", "yesterday"], ["status"], ["lint"]])
def test_only_debug_shows_where_it_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, words: list[str]
) -> None:
    monkeypatch.setenv("RUNBOOK_DEBUG", "")
    command = ["-C", str(tmp_path), *words]
    plain = run(command)
    assert plain != 0
    assert "Traceback" not in capsys.readouterr().err
    assert run(["--debug", *command]) == plain
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "\nrunbook: " in said
