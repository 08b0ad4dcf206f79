"""`runbook verify`: prove the record, offline, from a clone, a bundle or a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.output import emit

if TYPE_CHECKING:
    from runner.audit.finding import Line, Report, Violation

SHOWN = 5
"""Violations of one invariant that are printed; `--json` has more."""


@click.command("verify")
@click.argument("source", default="")
@click.option("--genesis", metavar="DIGEST", help="The digest of the first event, from somebody outside.")
@click.option(
    "--witness",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file with heads that were seen outside: lines `number digest`, as comments show them.",
)
@click.option("--deep", is_flag=True, help="Search every byte of history for secrets too (I18).")
@click.option("--min-level", type=click.Choice(["L0", "L1", "L2", "L3", "L4"]), help="Fail below this level.")
@click.option("--branch", default="", help="The evidence branch, where it is not the configured one.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
def command(
    folder: Path,
    *,
    source: str,
    genesis: str | None,
    witness: Path | None,
    deep: bool,
    min_level: str | None,
    branch: str,
    as_json: bool,
) -> int:
    """Check every numbered invariant of the record in SOURCE: a revision, a clone, a Git bundle, or a plain folder.

    Without SOURCE it is the evidence branch of this clone. Nothing is fetched and no server is asked. Exit code 0 is
    clean, 1 violated (or below --min-level), 5 could not check.

    \b
    Examples:
      runbook verify
      runbook verify evidence.bundle --genesis 5b1d... --json
      runbook verify --witness heads.txt --min-level L2
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.audit.finding import Level
    from runner.audit.source import opened
    from runner.audit.verify import Pins, digest_of, read_witness, verify
    from runner.wiring import now

    heads = read_witness(witness.read_text(errors="replace")) if witness else {}
    pins = Pins(genesis=digest_of(genesis) if genesis else None, witness=heads)
    with opened(source, at=folder, branch=branch or _branch(folder)) as found:
        report = verify(found, now=now(), pins=pins, deep=deep)
    emit(report, as_json=as_json, text=lambda: "\n".join(_told(report)))
    too_low = min_level is not None and report.level.strength < Level(min_level).strength
    if too_low:
        click.secho(f"runbook: the level is {report.level.value}, and {min_level} was asked for", err=True)
    return 1 if too_low else report.exit_code


def _branch(folder: Path) -> str:
    """The configured evidence branch; an auditor's clone needs no configuration, so nothing here may fail."""
    from runner import config
    from runner.errors import RunbookError
    from runner.repository import refs
    from runner.repository.objects import Objects
    from runner.repository.repository import Repository

    try:
        repository = Repository.open(folder)
        main = refs.tip(repository, repository.setting("runbook.branch") or "main")
        with Objects(repository) as objects:
            data = objects.read(main, "pyproject.toml") if main else None
        return config.read(data.decode(errors="replace") if data else None).evidence_branch
    except RunbookError:
        return config.Settings().evidence_branch


def _told(report: Report) -> Iterator[str]:
    yield f"{report.source} ({report.kind}): {report.events} events, {report.runs} runs, project {report.project}"
    yield f"genesis: {report.genesis}"
    yield f"head: {report.head}"
    yield ""
    for line in report.lines:
        yield from _line(line)
    yield ""
    for one in report.open:
        yield f"open: {one.run} is {one.state} since {one.age:.0f} s, held by {one.holder}: {', '.join(one.locks)}"
    for debt in report.owed:
        when = "overdue since" if debt.overdue else "due by"
        yield f"owed: {debt.run} is an emergency, {when} {debt.due}: {'; '.join(debt.missing)}"
    for run in report.break_glass:
        yield f"break-glass: {run} ran while the remote was away, without approvals and locks; recorded afterwards"
    rests = report.rests_on
    yield (
        f"rests on people's own signatures: {rests.approvals_signed} approvals, {rests.requests_signed} requests;"
        f" on the supervisor's word: {rests.approvals_told} approvals, {rests.requests_told} requests, and the outputs,"
        f" times and cell fates of {rests.attempts} attempts"
    )
    levels = ", ".join(f"{count} at {level}" for level, count in report.levels.items())
    yield f"level {report.level.value}: {report.level.meaning}" + (f" (attempts: {levels})" if levels else "")
    if report.level_reason:
        yield f"  not more, because {report.level_reason}"
    yield f"{report.standing.value}: " + (", ".join(report.violated()) or f"checked in {report.seconds:.1f} s")


def _line(line: Line) -> Iterator[str]:
    yield f"{line.invariant:>4} {line.standing.value:<12} {line.title}"
    if line.standing.value == "not checked":
        yield f"{'':17} {line.reason}"
    for violation in line.violations[:SHOWN]:
        yield f"{'':17} {_violation(violation)}"
    if line.count > SHOWN:
        yield f"{'':17} and {line.count - SHOWN} more"


def _violation(violation: Violation) -> str:
    cell = f", cell {violation.cell}" if violation.cell else ""
    commit = f" (commit {violation.commit[:12]})" if violation.commit else ""
    return f"{violation.file}{cell}: {violation.wrong}{commit}"
