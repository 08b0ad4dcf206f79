"""Whole executions by real workers: what is sealed is the truth, whatever the cells do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from runner.execution import transcript
from runner.execution.outcome import ExitReason, Fate
from runner.ledger.bodies import Rollback, Status

from .conftest import DETACHED, Prepare, notebook, processes, started, until

FAILED, OK, NOT_RUN = Fate.FAILED, Fate.OK, Fate.NOT_RUN


def test_a_run_keeps_everything_that_its_cells_said_and_nothing_else(
    execute: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSH_AUTH_SOCK", "GIT_AUTHOR_NAME", "CI_JOB_TOKEN", "RUNBOOK_SIGNING_KEY", "RUNBOOK_SECRET_OTHER"):
        monkeypatch.setenv(name, "must-not-be-seen")
    cells = (
        ("md", "# Words\n\nwith  trailing space \n"),
        ("parameters", "n = 1  # how many"),
        ("setup", "import os, sys\nfrom runner.toolkit import artifact, record\nimport runner\n"),
        ("read", "for c in 'one by one':\n    print(c, end='')\n    sys.stdout.flush()\nprint(n, file=sys.stderr)"),
        ("change", "from IPython.display import display\nfor i in range(20_000):\n    display(i)"),
        ("change", "%%bash\necho from bash; echo $HOME; pwd"),
        ("change", "record('ticket', {'id': 42})\nartifact('r.csv', 'a,b\\n')\nprint('x' * 300_000)"),
        ("verify", "sorted(name for name in os.environ if 'must-not' in os.environ[name]), runner.__file__[-19:]"),
        ("verify", ""),
        ("always,skip-execution", "raise RuntimeError"),
        ("always", "print('cleaned')"),
    )
    run = execute(*cells, injected="n = 5\n", parameters={"n": 5})
    outcome = run.outcome
    assert (outcome.message, outcome.status, outcome.exit_reason) == ("", Status.SUCCEEDED, ExitReason.ALL_CELLS_RAN)
    assert outcome.rollback is Rollback.NOT_NEEDED
    assert run.status == 0
    executed = run.executed["cells"]
    assert isinstance(executed, list)
    original = json.loads(notebook(*cells))["cells"]
    assert [cell["source"] for cell in executed if cell["id"] != "injected-parameters"] == [
        c["source"] for c in original
    ]
    assert executed[2]["metadata"]["tags"] == ["injected-parameters"]
    assert [o["text"] for o in executed[4]["outputs"]] == [["one by one"], ["5\n"]]
    assert len(executed[5]["outputs"]) == 20_000
    assert "papermill" not in json.dumps(run.executed)
    assert str(run.spool) not in run.sealed.decode()
    assert run.text("c5") == "from bash\n[run]/private/home\n[run]/work\n"
    assert "('[]', 'runner/__init__.py')" in run.text("c7").replace("([],", "('[]',").replace("'/runner", "'runner")
    assert outcome.records == {"ticket": {"id": 42}}
    sizes = {artifact.size: artifact for artifact in outcome.artifacts}
    assert set(sizes) == {4, 300_001}
    assert (run.spool / "outcome" / sizes[300_001].path).read_bytes() == b"x" * 300_000 + b"\n"
    assert sizes[300_001].sha256 in run.text("c6")
    assert len(run.text("c6")) < 10_000
    assert run.fates("always") == {"c10": OK}
    assert not (run.spool / "private").exists()
    assert not (run.spool / "work").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_in_a_sealed_cancellation(prepare: Prepare, number: signal.Signals) -> None:
    run = prepare(
        ("change", "import time\ntime.sleep(60)"),
        ("rollback", "print('never')"),
        ("always", "print('cleaned')"),
    )
    process = run.start()
    until(started(run, "c0"))
    os.kill(process.pid, number)
    run.wait(process)
    assert (run.outcome.status, run.outcome.exit_reason) == (Status.CANCELLED, ExitReason.CANCELLED)
    assert run.fates() == {"c0": Fate.INTERRUPTED}
    assert run.text("c2") == "cleaned\n"
    assert run.fates("rollback") == {"c1": NOT_RUN}
    assert run.outcome.rollback is Rollback.NOT_NEEDED
    assert "left as they are" in run.outcome.message


def test_nothing_outlives_a_killed_worker_and_what_it_knew_is_kept(prepare: Prepare) -> None:
    content = (("read", "print('kept')"), ("change", DETACHED + "time.sleep(60)"), ("verify", "1"))
    run = prepare(*content, secrets={"PW": "correct-horse-battery"}, environment={"RUNBOOK_RUN_ID": "kill-me-4321"})
    process = run.start()
    until(started(run, "c1"))
    until(lambda: len(processes("kill-me-4321")) >= 4)
    process.kill()
    process.wait()
    until(lambda: not processes("kill-me-4321"), seconds=5)
    until(lambda: not (run.spool / "private").exists(), seconds=5)
    assert not (run.spool / "outcome").exists()
    left = (run.spool / "transcript.jsonl").read_bytes()
    rebuilt, fates = transcript.rebuild(left, notebook(*content))
    assert {fate.id: fate.fate for fate in fates} == {"c0": OK, "c1": Fate.UNKNOWN, "c2": NOT_RUN}
    assert b"kept" in rebuilt


def test_two_workers_on_one_spool_execute_once(prepare: Prepare, tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    run = prepare(("change", f"open({str(counter)!r}, 'a').write('x')"))
    workers = [run.start() for _ in range(3)]
    assert {worker.wait(timeout=60) for worker in workers} == {0}
    assert counter.read_text() == "x"
    assert run.wait(run.start()).status == 0
    assert counter.read_text() == "x"


VALUE = "tr0ub4dor&3 \"q'uote/é"
SETUP = """
import base64, html, json, shlex, subprocess, sys
from urllib.parse import quote, quote_plus
from IPython.display import HTML, Image, JSON, display
from runner.toolkit import artifact, record, secret
v = secret("PW")
"""
SHELL = """
subprocess.run(["sh", "-c", 'printf %s "$0"; printf %s "$0" | base64 -w 8', v])
print(v * 3)
"""
LEAKS = (
    ("setup", SETUP),
    ("read", "for c in v:\n    print(c, end='', flush=True)"),
    ("read", "for c in v:\n    print(c)\nprint(list(v))"),
    ("read", "for i, c in enumerate(v):\n    print(c, end='', flush=True, file=(sys.stdout, sys.stderr)[i % 2])"),
    ("read", "for k in range(3):\n    print(base64.b64encode(b'x' * k + v.encode() + b'yy').decode())"),
    ("read", "print(base64.urlsafe_b64encode(v.encode()).decode(), v.encode().hex(), v.encode().hex(':'))"),
    ("read", "print(quote(v), quote_plus(v), quote(v, safe='').lower())"),
    ("read", "print(json.dumps(v), json.dumps(json.dumps(v)), shlex.quote(v), repr(v), html.escape(v))"),
    ("read", "print('\\x1b[31m' + v[:7] + '\\x1b[0m' + v[7:], v[::-1])"),
    ("read", "display(HTML(f'<b>{html.escape(v)}</b>'), metadata={'m': v})\ndisplay(JSON({'a': list(v), v: [v]}))"),
    ("read", "display(Image(data=b'\\x89PNG\\r\\n\\x1a\\n' + v.encode(), format='png'))"),
    ("read", "display({'application/x-thing+json': {'deep': [[v]]}}, raw=True)"),
    ("read", "record('value', v)\nartifact('a.txt', 'x ' + v)\nartifact('a.bin', b'\\xff' + v.encode())"),
    ("read", "v.encode()"),
    ("change", SHELL),
    ("change", "!echo {shlex.quote(v)}"),
    ("verify", "def fail(password):\n    raise ValueError(f'login failed for {password}')\nfail(v)"),
)


def test_a_secret_is_in_no_sealed_byte_in_no_form(execute: Prepare) -> None:
    run = execute(*LEAKS, secrets={"PW": VALUE})
    from runner.execution.redact import Masker

    assert not run.outcome.withheld
    assert run.outcome.exit_reason is ExitReason.CELL_ERROR
    assert run.fates()["c16"] is FAILED
    assert "login failed for [redacted:PW]" in run.outcome.message
    assert run.text("c1") == "[redacted:PW]"
    assert "login failed for [redacted:PW]" in run.cell("c16").error
    masker = Masker({"PW": VALUE})
    sealed = run.sealed
    assert masker.found(sealed.decode()) == frozenset()
    for fragment in ("tr0ub4dor", "ub4dor&3", VALUE.encode().hex()[:16], "dHIwdWI0"):
        assert fragment not in sealed.decode()
    assert {found.rule for found in run.outcome.redactions} == {"PW"}
    where = {place for found in run.outcome.redactions for place in found.where}
    assert {f"cell {number}" for number in range(2, 18) if number != 13} <= where
    assert {"artifact of cell 13", "record of cell 13"} <= where
    assert [artifact.media_type for artifact in run.outcome.artifacts] == ["text/plain"]


def test_a_credential_that_nobody_registered_withholds_the_outputs_but_not_the_end(execute: Prepare) -> None:
    run = execute(("change", "print('glpat-' + 'abcdefghij0123456789')"), ("verify", "print('fine')"))
    assert run.outcome.withheld
    assert run.outcome.status is Status.SUCCEEDED
    assert "gitlab-token" in run.outcome.message
    assert run.text("c1") == ""
    assert b"glpat-a" not in (run.spool / "outcome" / "executed.ipynb").read_bytes()


@pytest.mark.parametrize(
    ("secrets", "needed", "source", "wrong"),
    [
        ({}, ("PW",), "1", "RUNBOOK_SECRET_PW"),
        ({"PW": "short"}, ("PW",), "1", "shorter than 6"),
        ({"PW": "in-the-source"}, ("PW",), "x = 'in-the-source'", "stands in the runbook"),
    ],
)
def test_without_a_usable_secret_no_cell_runs(
    *, execute: Prepare, secrets: dict[str, str], needed: tuple[str, ...], source: str, wrong: str
) -> None:
    run = execute(("change", source), secrets=secrets, read_secrets=needed)
    assert (run.outcome.status, run.outcome.exit_reason) == (Status.FAILED, ExitReason.SECRET_UNAVAILABLE)
    assert wrong in run.outcome.message
    assert run.outcome.cells == ()


@pytest.mark.parametrize("wrong", ["notebook", "key", "order", "closed", "toolkit"])
def test_an_order_that_cannot_be_believed_is_refused_and_sealed_so(prepare: Prepare, wrong: str) -> None:
    run = prepare(("change", "open('ran', 'w')"), **({"toolkit": "0" * 64} if wrong == "toolkit" else {}))
    match wrong:
        case "notebook":
            (run.spool / "runbook.ipynb").write_bytes(notebook(("change", "print('other')")))
        case "key":
            (run.spool / "trusted_keys").write_text("\n")
        case "order":
            envelope = (run.spool / "order.dsse.json").read_bytes()
            (run.spool / "order.dsse.json").write_bytes(envelope.replace(b"ey", b"ez", 1))
        case "closed":
            (run.spool / "closed").touch()
    run.wait(run.start())
    assert run.status == 4
    assert (run.outcome.status, run.outcome.cells) == (Status.FAILED, ())


def test_while_the_remote_is_away_nothing_is_claimed(prepare: Prepare) -> None:
    run = prepare(("change", "1"))
    (run.spool / "away").touch()
    assert run.wait(run.start()).status == 5
    assert not (run.spool / "claimed").exists()
    (run.spool / "away").unlink()
    assert run.wait(run.start()).status == 0
    assert run.outcome.status is Status.SUCCEEDED


def test_isolation_is_refused_rather_than_weakened(
    execute: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    run = execute(("change", "1"), isolation="bwrap")
    assert (run.outcome.status, run.outcome.cells) == (Status.FAILED, ())
    assert "bwrap" in run.outcome.message


def test_a_full_disk_ends_in_a_truthful_failure(prepare: Prepare, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(small)], check=False)
    if mounted.returncode != 0:
        pytest.skip("a small file system can only be mounted by root")
    try:
        run = prepare(
            ("change", "import os\nprint('z' * 200_000)\nopen('fill', 'wb').write(os.urandom(200_000))"),
            ("rollback", "print('undone')"),
            *(("change", "import os\nprint(os.urandom(100_000).hex()[:190_000])") for _ in range(25)),
        )
        inside = small / "spool"
        inside.mkdir()
        for path in run.spool.iterdir():
            (inside / path.name).write_bytes(path.read_bytes())
        run.spool = inside
        run.wait(run.start())
        assert run.outcome.status is Status.FAILED
        assert run.outcome.exit_reason is ExitReason.INTERNAL_ERROR
        assert "disk is full" in run.outcome.message
        assert OK in run.fates().values()
        assert NOT_RUN in run.fates().values()
        assert run.fates("rollback") == {"c1": OK}
        assert not (inside / "outcome.tmp").exists()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_deep_spool_still_has_room_for_sockets(prepare: Prepare, tmp_path: Path) -> None:
    run = prepare(("change", "print('deep')"))
    deep = tmp_path / ("d" * 100) / "spool"
    deep.parent.mkdir()
    run.spool = run.spool.rename(deep)
    run.wait(run.start())
    assert run.outcome.status is Status.SUCCEEDED
