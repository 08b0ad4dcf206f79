"""`runbook issue`: issues and comments on the plain-Git forge, for people and scripts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.output import emit, table
from runner.errors import RequestError

if TYPE_CHECKING:
    from runner.ports.forge import Comment, Forge, Issue

LARGEST = 5_000_000
"""Bytes read from a file or from standard input; the forge has its own limit in characters."""

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
FILE = click.option(
    "--file", "-F", "file", type=click.Path(path_type=Path), help="Read the text from a file; - is standard input."
)


@click.group("issue")
def command() -> None:
    """Issues and comments, kept in the repository on a branch of their own and signed by whoever writes them.

    \b
    Examples:
      runbook form disk-cleanup > ask.md
      runbook issue new "Disk is full on web-1" --file ask.md
      runbook issue list
      runbook issue show 7
      runbook issue comment 7 /runbook approve 3f9a0c11d2e4
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped


@command.command("new")
@click.argument("title")
@click.option("--body", "-b", default="", help="The description.")
@FILE
@click.option("--label", "-l", "labels", multiple=True, help="A label; may be repeated.")
@AS_JSON
@click.pass_obj
def new(folder: Path, *, title: str, body: str, file: Path | None, labels: tuple[str, ...], as_json: bool) -> None:
    """Open an issue with TITLE.

    \b
    Examples:
      runbook issue new "Rotate the certificate of web-1" --file ask.md
      runbook form disk-cleanup | runbook issue new "Disk is full" --file -
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    text = _text(body, file, doing="opening an issue")
    with _forge(folder) as forge:
        issue = forge.open_issue(title, text, labels=frozenset(labels))
        _warn(forge.thread(issue.id).comments[0])
    emit(_facts(issue), as_json=as_json, text=lambda: f"opened issue {issue.id}")


@command.command("list")
@click.option("--all", "closed", is_flag=True, help="Closed issues too.")
@click.option("--label", "-l", "labels", multiple=True, help="Only with this label; may be repeated.")
@AS_JSON
@click.pass_obj
def list_(folder: Path, *, closed: bool, labels: tuple[str, ...], as_json: bool) -> None:
    """List issues, oldest first.

    \b
    Examples:
      runbook issue list --all
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    with _forge(folder) as forge:
        issues = [one for one in forge.issues(only_open=not closed) if set(labels) <= one.labels]
    emit([_facts(one) for one in issues], as_json=as_json, text=lambda: _table(issues))


@command.command("show")
@click.argument("issue")
@AS_JSON
@click.pass_obj
def show(folder: Path, *, issue: str, as_json: bool) -> None:
    """Show one issue with its comments, and whose signatures are valid.

    \b
    Examples:
      runbook issue show 7
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.ports.forge import IssueId

    with _forge(folder) as forge:
        thread = forge.thread(IssueId(issue))
    facts = {**_facts(thread.issue), "comments": [_said(one) for one in thread.comments]}
    emit(facts, as_json=as_json, text=lambda: _page(thread.issue, thread.comments))


@command.command("comment", context_settings={"ignore_unknown_options": True})
@click.argument("issue")
@click.argument("words", nargs=-1)
@FILE
@AS_JSON
@click.pass_obj
def comment(folder: Path, *, issue: str, words: tuple[str, ...], file: Path | None, as_json: bool) -> None:
    """Say something in ISSUE: WORDS, or the text of a file.

    \b
    Examples:
      runbook issue comment 7 /runbook status
      runbook issue comment 7 /runbook reject 3f9a0c11d2e4 not on a Friday
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.ports.forge import IssueId

    text = _text(" ".join(words), file, doing="writing a comment")
    with _forge(folder) as forge:
        said = forge.comment(IssueId(issue), text)
    _warn(said)
    emit(_said(said), as_json=as_json, text=lambda: f"said in issue {issue}, comment {said.id}")


@command.command("close")
@click.argument("issue")
@AS_JSON
@click.pass_obj
def close(folder: Path, *, issue: str, as_json: bool) -> None:
    """Close ISSUE; a closed one stays closed.

    \b
    Examples:
      runbook issue close 7
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.ports.forge import IssueId

    with _forge(folder) as forge:
        forge.close(IssueId(issue))
        now = forge.thread(IssueId(issue)).issue
    emit(_facts(now), as_json=as_json, text=lambda: f"issue {now.id} is closed")


@contextmanager
def _forge(folder: Path) -> Iterator[Forge]:
    """The forge as the person at the keyboard, until the end of the block."""
    from runner.wiring import open_workspace

    workspace = open_workspace(folder)
    with workspace.objects:
        yield workspace.forge_as_person()


def _text(words: str, file: Path | None, *, doing: str) -> str:
    """The text to write: what was given, or a file's, but not both."""
    if file is None:
        return words
    if words:
        raise RequestError(doing, "both a text and a file are given", hint="give one of them")
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(LARGEST)
        else:
            with file.open("rb") as source:
                data = source.read(LARGEST)
        return data.decode()
    except OSError as error:
        raise RequestError(doing, f"{file} cannot be read ({error.strerror})", hint="check its name") from error
    except UnicodeDecodeError as error:
        raise RequestError(doing, f"{file} is not UTF-8 text", hint="save it as UTF-8") from error


def _warn(comment: Comment) -> None:
    """Say at once that a comment will not count, rather than let its author wait."""
    if not comment.verified:
        click.secho(
            "note: this is not signed by a key in runbooks/allowed_signers, so it may not count as yours",
            fg="yellow",
            err=True,
        )


def _facts(issue: Issue) -> dict[str, object]:
    return {
        "id": issue.id,
        "title": issue.title,
        "author": issue.author,
        "created": issue.created.isoformat(),
        "open": issue.open,
        "labels": sorted(issue.labels),
    }


def _said(comment: Comment) -> dict[str, object]:
    return {
        "id": comment.id,
        "author": comment.author,
        "created": comment.created.isoformat(),
        "verified": comment.verified,
        "edited": comment.edited,
        "ours": comment.ours,
        "body": comment.body,
    }


def _table(issues: list[Issue]) -> object:
    from runner.request.characters import shown

    rows = [
        (
            one.id,
            "open" if one.open else "closed",
            shown(one.title),
            shown(one.author),
            f"{one.created:%Y-%m-%d}",
            shown(", ".join(sorted(one.labels))),
        )
        for one in issues
    ]
    return table(("issue", "state", "title", "by", "opened", "labels"), rows, title="issues")


def _page(issue: Issue, comments: tuple[Comment, ...]) -> str:
    """The issue as plain text; whatever could act on a terminal is escaped."""
    from runner.request.characters import shown

    state = "open" if issue.open else "closed"
    labels = f"  [{', '.join(sorted(issue.labels))}]" if issue.labels else ""
    lines = [f"{issue.id}  {issue.title}  ({state}){labels}"]
    for one in comments:
        marks = ["signed" if one.verified else "NOT VERIFIED", *(["edited"] if one.edited else [])]
        lines += ["", f"--- {one.id}  {one.author}  {one.created:%Y-%m-%d %H:%M} UTC  ({', '.join(marks)})"]
        lines.append(one.body.rstrip("\n"))
    return shown("\n".join(lines))
