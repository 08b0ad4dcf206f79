"""`runbook lint [PATH]...`: every rule over notebooks of the work tree, before anybody else sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.output import emit

if TYPE_CHECKING:
    from runner.runbook.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One notebook and what was found. `problem` says why it could not be read at all."""

    path: Path
    findings: tuple[Finding, ...] = ()
    problem: str = ""

    def failed(self) -> bool:
        """Whether it could not be planned as it is."""
        return bool(self.problem) or any(each.severity.value == "error" for each in self.findings)


@click.command("lint")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_obj
def command(folder: Path, paths: tuple[Path, ...], *, as_json: bool) -> int:
    """Check the notebooks at PATHS (or every one under runbooks/) against the rules. Exit code 2 on any error.

    \b
    Examples:
      runbook lint
      runbook lint runbooks/disk-cleanup.ipynb --json
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    root = folder / "runbooks"
    if not paths and not root.is_dir():
        from runner.errors import RequestError

        hint = "Name a notebook, or make one with `runbook new NAME`."
        raise RequestError("looking for runbooks", f"there is no folder {root}", hint=hint)
    checked = [_check(path) for path in _notebooks(paths or (root,))]
    emit([_plain(each) for each in checked], as_json=as_json, text=lambda: _told(checked))
    return 2 if any(each.failed() for each in checked) else 0


def _notebooks(paths: Sequence[Path]) -> list[Path]:
    """Every notebook named, and every one below a folder named, without checkpoints of Jupyter."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]
        found += [each for each in inside if ".ipynb_checkpoints" not in each.parts]
    return found


def _check(path: Path) -> Checked:
    from runner.errors import RequestError
    from runner.runbook import reader
    from runner.runbook.lint import lint

    whole = path.resolve()
    inside = whole.relative_to(root / "runbooks") if (root := repository(whole)) else Path(whole.name)
    name = inside.with_suffix("").as_posix()
    try:
        runbook = reader.read(path.read_bytes(), name=name, path=str(path), commit="", beside=beside(path))
    except RequestError as error:
        return Checked(path=path, problem=f"{error.wrong} {error.hint}".strip())
    return Checked(path=path, findings=lint(runbook))


def beside(path: Path) -> Callable[[str], bytes | None]:
    """What gives the reader other files of the work tree that a notebook lies in."""
    root = repository(path.resolve())

    def read(other: str) -> bytes | None:
        file = root / other if root else None
        return file.read_bytes() if file and file.is_file() else None

    return read


def repository(notebook: Path) -> Path | None:
    """The folder above the innermost `runbooks`, from which paths in a header are counted."""
    return next((folder.parent for folder in notebook.parents if folder.name == "runbooks"), None)


def _plain(checked: Checked) -> dict[str, object]:
    return {
        "path": str(checked.path),
        "problem": checked.problem,
        "findings": [
            {
                "rule": each.rule,
                "severity": each.severity.value,
                "cell": None if each.cell is None else each.cell + 1,
                "message": each.message,
                "hint": each.hint,
            }
            for each in checked.findings
        ],
    }


def _told(checked: Sequence[Checked]) -> str:
    lines: list[str] = []
    for each in checked:
        if each.problem:
            lines += [f"{each.path}: cannot be read", f"  {each.problem}"]
        elif not each.findings:
            lines.append(f"{each.path}: clean")
        else:
            lines.append(f"{each.path}:")
            for finding in each.findings:
                where = "notebook" if finding.cell is None else f"cell {finding.cell + 1}"
                lines.append(f"  {finding.rule} {finding.severity.value}, {where}: {finding.message}")
                lines.append(f"      {finding.hint}")
    return "\n".join(lines) or "no notebooks there"
