"""Tiny runbooks for whole stories: each leaves traces in files, so that a test can count what really was executed."""

from __future__ import annotations

from tests.runbook.notebooks import code, notebook, raw

_PARAMETERS = """from pathlib import Path

folder: str  # where its traces go
host: str = "web-1"  # what it acts on
"""
_TRACE = (
    "from pathlib import Path\nwith (Path(folder) / {file!r}).open('a') as file:\n    file.write({text!r} + '\\n')\n"
)


def header(title: str, *, more: str = "", target: str = "lab/{host}", processes: str = "own") -> str:
    """A header with everything that lint asks for; `more` is further lines."""
    lines = ["---", f"title: {title}", 'owner: "@team"', "risk: low", f'target: "{target}"', "timeout: 60s"]
    access = f'access: {{write: ["{{folder}}"], processes: {processes}}}'
    return "\n".join([*lines, access, "examples: {folder: /tmp}", *more.splitlines(), "---"])


def trace(file: str, text: str = "done") -> str:
    """Source that appends a line to a file of the folder."""
    return _TRACE.format(file=file, text=text)


def made(
    *cells: tuple[str, str], title: str, more: str = "", target: str = "lab/{host}", processes: str = "own"
) -> bytes:
    """A runbook with the usual parameters and these (role, source) cells."""
    parameters = code(_PARAMETERS.removeprefix("from pathlib import Path\n\n"), "parameters")
    rest = [code(source, role) for role, source in cells]
    return notebook([raw(header(title, more=more, target=target, processes=processes)), parameters, *rest])


COUNT = made(
    ("change", trace("count")),
    title="Count",
    more="irreversible: a line is a line\nclose_issue: true",
)
"""One change cell and nothing to rehearse: the file `count` has one line for each time that it was executed."""

FAIL = made(
    ("change", trace("count")),
    ("rollback", trace("undone")),
    ("verify", "raise RuntimeError('the line is not as it should be')"),
    ("always", trace("always")),
    title="Fail",
)
"""It changes, finds that it did not work, and undoes it."""

LOOK = made(
    ("read", "from pathlib import Path\nseen = (Path(folder) / 'state').read_text()"),
    ("plan", "print('would change', seen)"),
    ("change", trace("count")),
    ("rollback", trace("undone")),
    ("verify", "assert (Path(folder) / 'count').exists()"),
    title="Look",
)
"""It rehearses: the plan cell shows what the file `state` holds."""

UNREADY = made(
    ("read", "raise RuntimeError('cannot be rehearsed')"),
    ("change", trace("count")),
    title="Unready",
    more="irreversible: a line is a line",
)
"""Its rehearsal fails."""

WAIT = made(
    (
        "change",
        trace("count")
        + "import os, subprocess, sys, time\n"
        + "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
        + "(Path(folder) / 'pids').write_text(f'{os.getpid()} {child.pid}')\n"
        + "(Path(folder) / 'begun').touch()\n"
        + "while not (Path(folder) / 'go').exists():\n    time.sleep(0.05)\n"
        + "child.kill()\n",
    ),
    ("rollback", trace("undone")),
    ("always", trace("always")),
    title="Wait",
    processes="host",
)
"""Its change cell says that it has begun, with process ids as the host counts them, and stays until `go` exists."""

SECRET = made(
    ("change", "from runner.toolkit import secret\nprint('got', secret('FROM_FILE'), secret('FROM_ENV'))"),
    title="Secret",
    more="irreversible: words are out\nsecrets: {change: [FROM_FILE, FROM_ENV]}",
)
"""It prints its secrets."""

CURIOUS = made(
    ("read", trace("count") + "from runner.toolkit import secret\nprint(secret('NOT_GIVEN'))"),
    ("change", "pass"),
    title="Curious",
    more="irreversible: nothing\nsecrets: {read: [NOT_GIVEN]}",
)
"""Its rehearsal asks for a secret that policy gives to nobody."""

STEPS = made(
    ("setup", "from pathlib import Path\nfrom runner.toolkit import record, recorded"),
    (
        "plan",
        "lines = Path(folder) / 'one'\nprint('lines', len(lines.read_text().splitlines()) if lines.exists() else 0)",
    ),
    ("change", "#| step: one\n" + trace("one") + "record('first', {'made by': 'one'})"),
    ("change", "#| step: two\n" + trace("two")),
    (
        "change",
        "#| step: three\n"
        + trace("tried")
        + "if not (Path(folder) / 'fixed').exists():\n    raise OSError('the disk is full')\n"
        + trace("three")
        + "print('rests on', recorded('first'))",
    ),
    ("verify", "assert (Path(folder) / 'three').exists()"),
    title="Steps",
    more="irreversible: lines are lines",
)
"""Three changes that nothing undoes; the third needs the file `fixed`, and what the first recorded."""

_PAINT_BACK = """\
drip = Path(folder) / 'drip'
state.write_text(recorded('before') + (drip.read_text() if drip.exists() else ''))
"""

TURN = made(
    ("setup", "from pathlib import Path\nfrom runner.toolkit import record, recorded\nstate = Path(folder) / 'state'"),
    ("plan", "print('it is', state.read_text())"),
    ("change", "#| step: paint\nrecord('before', state.read_text())\nstate.write_text(f'{host} green')"),
    (
        "rollback",
        "#| step: paint-back\n" + _PAINT_BACK,
    ),
    ("change", "#| step: dry\n" + trace("count")),
    ("rollback", "#| step: wet\n" + trace("undone")),
    ("verify", "assert 'green' in state.read_text()"),
    title="Turn",
)
"""It turns the file `state` green and can turn it back; what is in the file `drip` spoils that."""

TWO = made(
    ("change", trace("first") + "from runner.toolkit import record\nrecord('number', 7)"),
    (
        "change",
        trace("count")
        + "import time\n(Path(folder) / 'begun').touch()\n"
        + "while not (Path(folder) / 'go').exists():\n    time.sleep(0.05)\n"
        + "from runner.toolkit import recorded\nassert recorded('number') == 7",
    ),
    title="Two",
    more="irreversible: lines are lines",
)
"""Its second change waits for the file `go`, and needs what the first one recorded."""

ALL = {
    "steps": STEPS,
    "turn": TURN,
    "curious": CURIOUS,
    "count": COUNT,
    "fail": FAIL,
    "look": LOOK,
    "unready": UNREADY,
    "wait": WAIT,
    "secret": SECRET,
}
