"""`runbook doctor`: is everything set up as it has to be, and if not, what exactly is to be done."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.output import emit, harmless

if TYPE_CHECKING:
    from rich.console import RenderableType

    from runner.doctor.facts import Broken, Facts, Trial, Vouching
    from runner.doctor.finding import Finding, Standing
    from runner.ports.premises import Inspector
    from runner.wiring import Workspace


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option(
    "--maintainer-token",
    "token_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="A file (mode 0600) with a maintainer's token, to look where the runner's may not: webhooks, runners.",
)
@click.option("--url", default="", help="Where GitLab reaches `runbook serve`, such as https://HOST/webhook.")
@click.option("--deliver", is_flag=True, help="Have GitLab send a test delivery, and see that it arrives.")
@click.option("--all", "everything", is_flag=True, help="Show what is fine in full, too.")
@click.pass_obj
def command(folder: Path, *, as_json: bool, token_file: Path | None, url: str, deliver: bool, everything: bool) -> int:
    """Look at token, branches, webhook, runners, clock, policy, keys and this machine, and say how to correct them.

    Nothing is changed, unless --deliver asks for a test. Exit code: 0 if all is fine and was seen, 6 if the operator
    has to act, 2 if a runbook's author has to, 5 if something could not be looked at.

    \b
    Examples:
      runbook doctor
      runbook doctor --maintainer-token ~/.maintainer --deliver
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.supervise import open_folder
    from runner.doctor.examination import examine, unopened
    from runner.doctor.finding import exit_code
    from runner.errors import OperatorError

    eyes, known = _eyes(token_file), _known(folder)
    try:
        workspace = open_folder(folder)
    except OperatorError as error:
        findings = unopened(error)
    else:
        with closing(workspace.objects):
            findings = examine(_facts(workspace, known=known, eyes=eyes, url=url, deliver=deliver))
    emit([_plain(one) for one in findings], as_json=as_json, text=lambda: _told(findings, everything=everything))
    return exit_code(findings)


def _eyes(file: Path | None) -> str:
    from runner import private

    doing, hint = "reading the maintainer's token", "put it into a file of mode 0600"
    return private.read(file, doing=doing, absent="there is no such file", hint=hint).strip() if file else ""


def _known(folder: Path) -> tuple[str, str]:
    """Which server there is by the last fetch, and its token, asked for before Git may have to forget it."""
    from runner.errors import RunbookError
    from runner.inspecting import token
    from runner.wiring import open_workspace

    try:
        workspace = open_workspace(folder, fetch=False)
    except RunbookError:
        return "", ""
    with closing(workspace.objects):
        return token(workspace)


def _facts(workspace: Workspace, *, known: tuple[str, str], eyes: str, url: str, deliver: bool) -> Facts:
    from runner.inspecting import inspector, secret_stores, token, triggers
    from runner.supervisor.examining import gather
    from runner.wiring import now

    # A token goes to the server that it was stored for, and to no other.
    own = known[1] if known[0] == workspace.settings.gitlab else ""
    looking = inspector(workspace, now=now, own=own or token(workspace)[1], eyes=eyes)
    given = partial(gather, stores=secret_stores(workspace), trigger=triggers(workspace), now=now, url=url)
    look = partial(given, workspace, inspector=looking, vouching=_vouching(workspace.state))

    with closing(looking):
        facts = look()
        return _tried(facts, look=look, inspector=looking, state=workspace.state) if deliver else facts


def _vouching(state: Path) -> Vouching | Broken | None:
    """What vouches for deliveries on this machine; None where it was never told to take any."""
    from runner.doctor.facts import Broken, Vouching
    from runner.errors import OperatorError
    from runner.server import keys

    if not any((state / name).exists() for name in (keys.SIGNING, keys.TOKEN)):
        return None
    try:
        found = keys.read(state)
    except OperatorError as error:
        return Broken(wrong=error.wrong, fix=error.hint)
    return Vouching(signing=len(found.signing), plain=bool(found.token))


def _tried(facts: Facts, *, look: Callable[[], Facts], inspector: Inspector, state: Path) -> Facts:
    """Send a test to each webhook of ours, and look again."""
    from runner.doctor import webhook
    from runner.doctor.facts import Broken, Trial
    from runner.errors import OutsideError, RunbookError
    from runner.ports.premises import Unseen

    trial = None
    for hook in webhook.hooks(facts):
        began = time.time()
        try:
            inspector.deliver(hook.number)
            trial = _arrived(state, since=began)
        except OutsideError as error:
            trial = Trial(problem=Unseen(why=str(error)))
        except RunbookError as error:
            hint = f"see Settings > Webhooks > Recent events. {error.hint}"
            trial = Trial(problem=Broken(wrong=str(error), fix=hint))
    return replace(look(), trial=trial)


def _arrived(state: Path, *, since: float) -> Trial:
    from runner.doctor.facts import Trial
    from runner.server import inbox

    file = state / "inbox.sqlite"
    return Trial(arrived=inbox.arrived(file, since=since) > 0 if file.exists() else None)


def _plain(one: Finding) -> dict[str, str]:
    return {
        "check": one.number,
        "title": one.title,
        "standing": one.standing.value,
        "says": one.says,
        "fix": one.fix,
        "acts next": one.who.name.lower() if one.fix else "",
    }


def _told(findings: Sequence[Finding], *, everything: bool) -> RenderableType:
    """What needs somebody, one row each with its fix; what is fine by its title, unless all of it was asked for."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from runner.doctor.finding import Standing

    rows = Table.grid(padding=(0, 2, 0, 0))
    rows.add_column(no_wrap=True)
    rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    first: dict[tuple[str, str], str] = {}
    for one in _shown(findings, everything=everything):
        said = first.setdefault((one.says, one.fix), one.number)
        words = Text(one.title, style="" if one.standing is Standing.FINE else "bold")
        if said != one.number and one.fix:
            words.append(f"\nas {said}", style="not bold dim")
        elif one.fix or everything:
            words.append(f"\n{harmless(one.says)}", style="not bold" if one.fix else "dim")
            words.append("\nfix: " if one.fix else "", style="not bold cyan").append(
                harmless(one.fix), style="not bold"
            )
        rows.add_row(one.number, Text(one.standing.value, style=_STYLES[one.standing.name]), words)
    return Group(rows, Text(), Text(_summed(findings)))


def _shown(findings: Sequence[Finding], *, everything: bool) -> list[Finding]:
    """One row for a check that is fine, however much it found; of another one, what has to be done."""
    from runner.doctor.finding import Standing

    if everything:
        return list(findings)
    bad = [one for one in findings if one.standing is not Standing.FINE]
    rest = {one.number: one for one in findings if one.number not in {each.number for each in bad}}
    return sorted((*bad, *rest.values()), key=lambda one: one.number)


_STYLES = {"FINE": "green", "WARNING": "yellow", "WRONG": "bold red", "NOT_CHECKED": "magenta"}


def _summed(findings: Sequence[Finding]) -> str:
    counted: Counter[Standing] = Counter(one.standing for one in findings)
    return ", ".join(f"{number} {standing.value}" for standing, number in sorted(counted.items(), key=_order))


def _order(item: tuple[Standing, int]) -> int:
    from runner.doctor.finding import Standing

    return list(Standing).index(item[0])
