"""A repository that was set up for runbooks, and the notebooks that are measured on it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.audit.ledgers import cell, notebook

BIN = Path(sys.executable).parent
POLICY = """
[[rule]]
name = "all"
request = ["*"]
approve = {count = 0}
"""

PLAIN = notebook(
    cell("parameters", "count: int = 3\n", "parameters"),
    cell("one", "values = list(range(count))\n"),
    cell("two", "print(sum(values))\n"),
    cell("three", "assert sum(values) == 3\n"),
)
"""As papermill users write them: without roles every cell counts as a change, so nothing can be rehearsed."""
REHEARSED = notebook(
    cell("parameters", "count: int = 3\n", "parameters"),
    cell("one", "values = list(range(count))\n", "setup"),
    cell("two", "print(sum(values))\n", "read"),
    cell("three", "assert sum(values) == 3\n", "change"),
)
"""The same with roles: its reading cells are executed twice, for the plan and in the run."""
_IMPORTS = "import subprocess\nimport pandas as pd\nimport matplotlib\nmatplotlib.use('Agg')\n"
_PLOT = "from matplotlib import pyplot as plt\nfigure, axes = plt.subplots()\naxes.plot(frame['used'])\nfigure\n"
REALISTIC = notebook(
    cell("parameters", "disks: int = 50\nlimit: int = 80\n", "parameters"),
    cell("imports", _IMPORTS, "setup"),
    cell("frame", "frame = pd.DataFrame({'used': [(7 * at) % 100 for at in range(disks)]})\n", "read"),
    cell("host", "print(subprocess.run(['uname', '-s'], capture_output=True, text=True).stdout)\n", "read"),
    cell("describe", "frame.describe()\n", "read"),
    *(cell(f"look-{at}", f"print(frame['used'].head({at + 1}).sum())\n", "read") for at in range(4)),
    cell("plot", _PLOT, "read"),
    cell("plan", "full = frame[frame['used'] > limit]\nprint(len(full), 'disks are fuller than', limit)\n", "plan"),
    *(cell(f"act-{at}", f"done_{at} = subprocess.run(['true']).returncode\n", "change") for at in range(6)),
    cell("table", "frame['used'] = frame['used'].clip(upper=limit)\nframe.head(10)\n", "change"),
    cell("check", "assert frame['used'].max() <= limit\n", "verify"),
    cell("last", "print('all disks are below', limit)\n", "verify"),
)
"""Twenty cells: pandas, one plot, processes; its header cell is papermill's to ignore."""


def many_cells(count: int) -> bytes:
    """A notebook of so many small cells."""
    return notebook(*(cell(f"c{at}", f"x = {at}\nprint(x)\n") for at in range(count)))


def much_output(megabytes: int, *, cells: int = 20) -> bytes:
    """A notebook whose cells print so much together, in lines of a hundred characters."""
    lines = megabytes * 1_000_000 // cells // 100
    source = f"for at in range({lines}):\n    print(f'{{at:>99}}')\n"
    return notebook(*(cell(f"c{at}", source) for at in range(cells)))


NOTEBOOKS: Mapping[str, bytes] = {
    "plain": PLAIN,
    "rehearsed": REHEARSED,
    "realistic": REALISTIC,
    **{f"cells-{count}": many_cells(count) for count in (50, 200, 800)},
    **{f"output-{size}": much_output(size) for size in (5, 50, 500)},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A clone with a bare remote beside it, an identity, policy that needs nobody's approval, and the notebooks."""

    folder: Path
    env: Mapping[str, str]

    @property
    def clone(self) -> Path:
        """Where commands are given."""
        return self.folder / "clone"

    def runbook(self, *words: str) -> Callable[[], object]:
        """A command of ours, to be timed."""
        return does([str(BIN / "runbook"), *words], self.clone, self.env)

    def papermill(self, name: str) -> Callable[[], object]:
        """papermill's command on the same notebook."""
        return does([str(BIN / "papermill"), f"{name}.ipynb", f"{name}-out.ipynb"], self.folder, self.env)


def does(command: list[str], cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Callable[[], object]:
    """A command to be timed; one that fails ends the benchmark."""

    def act() -> object:
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return act


@contextmanager
def staged() -> Iterator[Stage]:
    """A stage for the length of one measurement."""
    with tempfile.TemporaryDirectory() as name:
        yield _made(Path(name))


def _made(folder: Path) -> Stage:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {"RUNBOOK_STATE": str(folder / "state"), "HOME": str(folder), "PATH": f"{BIN}:{env['PATH']}"}
    stage = Stage(folder=folder, env=env)

    def do(*command: str, cwd: Path = stage.clone) -> None:
        subprocess.run(command, cwd=cwd, env=env, check=True, capture_output=True)

    do("git", "init", "-q", "--bare", "-b", "main", "ops.git", cwd=folder)
    do("git", "clone", "-q", "ops.git", "clone", cwd=folder)
    do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "id"), cwd=folder)
    for key, value in {
        "user.name": "Alice",
        "user.email": "alice@example.org",
        "gpg.format": "ssh",
        "user.signingkey": str(folder / "id.pub"),
    }.items():
        do("git", "config", key, value)
    do("git", "commit", "-q", "--allow-empty", "-m", "begin")
    do("git", "push", "-q", "origin", "main")
    do(str(BIN / "runbook"), "init")
    do("git", "pull", "-q", "origin", "main")
    _write(stage)
    do("git", "add", "-A")
    do("git", "commit", "-q", "-m", "notebooks to measure with")
    do("git", "push", "-q", "origin", "main")
    return stage


def _write(stage: Stage) -> None:
    runbooks = stage.clone / "runbooks"
    runbooks.mkdir(exist_ok=True)
    for name, data in NOTEBOOKS.items():
        (runbooks / f"{name}.ipynb").write_bytes(data)
        (stage.folder / f"{name}.ipynb").write_bytes(data)
    (runbooks / "policy.toml").write_text(POLICY)
    public = " ".join((stage.folder / "id.pub").read_text().split()[:2])
    signers = runbooks / "allowed_signers"
    known = signers.read_text() if signers.exists() else ""
    if public not in known:
        signers.write_text(f'{known}alice@example.org namespaces="git,runbook-comment" {public}\n')
