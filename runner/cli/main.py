"""`runbook`: the way in for people and scripts. Subcommands are imported when they are asked for, so help is quick."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from pathlib import Path
from typing import Any

import click

from runner.cli.output import harmless

SUBCOMMANDS = {
    "demo": "See the whole story on a scratch repository: a certificate is rotated.",
    "init": "Set a repository up: key, ledger, policy.",
    "new": "Write a new runbook to start from.",
    "list": "The runbooks of this repository.",
    "show": "One runbook's contract, or one run's record.",
    "lint": "Check runbooks against the rules.",
    "form": "The text of an issue that asks for a runbook.",
    "try": "Execute the cells of a notebook that cannot change anything.",
    "issue": "Issues and comments on plain Git.",
    "run": "Ask for a runbook, and let this machine do what it may.",
    "approve": "Say yes to a plan, by its digest.",
    "revoke": "Take your own yes back.",
    "reject": "Say no to a plan.",
    "resume": "Go on with a run that did not succeed.",
    "revert": "Ask for a new run that undoes an earlier one.",
    "cancel": "End a run, leaving its changes or undoing them.",
    "answer": "Answer what a run asks.",
    "resolve": "Say what came of an interrupted run.",
    "halt": "Stop everything from starting.",
    "unhalt": "Let things start again.",
    "reconcile": "Do everything that can be done now.",
    "serve": "The same for ever, woken by the forge's webhook.",
    "status": "What runs, what waits, what to do next.",
    "watch": "See a run while it happens, from any clone.",
    "log": "Runs, newest first.",
    "changes": "What changed on a target.",
    "verify": "Prove the record, offline.",
    "policy": "Who may do what.",
    "doctor": "Is everything set up as it has to be?",
    "worker": "Carry one work order out (started by the runner itself).",
}
"""Every subcommand and the line that help shows, so that help imports none of them."""

_HINTS = {
    errno.ENOSPC: "make room on the disk",
    errno.EROFS: "it may only be read: work in a clone and a state folder that may be written to",
    errno.EACCES: "check who may write there; --debug shows where it happened",
}
"""What to try when the system refuses."""

_EXTRAS = {
    "gitlab": "gitlab",
    **dict.fromkeys(("prometheus_client", "standardwebhooks", "starlette", "uvicorn"), "serve"),
}
"""Libraries that not everybody needs, and the extra that brings each."""

_MODULES = {"list": "list_", "try": "try_"}


class _Lazy(click.Group):
    """A group that knows its subcommands by name and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of a run's life, not of the alphabet."""
        del ctx
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the subcommand's module."""
        del ctx
        if cmd_name not in SUBCOMMANDS:
            return None
        module = importlib.import_module(f"runner.cli.{_MODULES.get(cmd_name, cmd_name)}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, line in SUBCOMMANDS.items() if name != "worker"])


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 the run failed or verification found a violation, 2 the requester acts next, "
    "3 an approver, 4 an auditor, 5 outside trouble: try again, 6 the operator.",
)
@click.option(
    "--repository", "-C", "folder", type=click.Path(path_type=Path), default=Path(), help="The clone to work in."
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="runbook-runner", prog_name="runbook")
@click.pass_context
def group(ctx: click.Context, *, folder: Path, debug: bool) -> None:
    """Operational procedures as notebooks in Git: asked for, planned, approved, executed, and kept as signed evidence.

    \b
    Begin with:
      runbook demo                       see it all work
      runbook init && runbook new NAME   set up your own repository
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    ctx.obj = folder
    if debug:
        os.environ["RUNBOOK_DEBUG"] = "1"


def main(argv: list[str] | None = None) -> None:
    """Run the command line and end the process with the exit code of who acts next."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: list[str]) -> int:
    """Run one command and return its exit code; errors are printed in words, without a traceback."""
    from runner.errors import RunbookError

    try:
        result: Any = group.main(args=argv, prog_name="runbook", standalone_mode=False)
    except RunbookError as error:
        return _fail(error, str(error), hint=error.hint, code=error.exit_code)
    except click.exceptions.Abort:
        return _fail(None, "stopped", hint="", code=130)
    except click.ClickException as error:
        error.show()
        return 2
    except KeyboardInterrupt:
        return _fail(
            None, "stopped; what was on record stays there: `runbook reconcile --once` goes on", hint="", code=130
        )
    except BrokenPipeError:
        # Whoever read our output has enough; the interpreter must not complain about it when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        hint = _HINTS.get(error.errno or 0, "run again with --debug to see where")
        return _fail(error, f"the system refused: {error.strerror or error}{where}", hint=hint, code=5)
    except Exception as error:  # noqa: BLE001 - the last line of defence: never a traceback unasked
        hint = "this is a mistake in the runner: run again with --debug and report what it shows"
        if extra := _EXTRAS.get(str(getattr(error, "name", ""))):
            hint = f"pip install 'runbook-runner[{extra}]'"
        return _fail(error, f"unexpected {type(error).__name__}: {error}", hint=hint, code=6)
    return result if isinstance(result, int) else 0


def _fail(error: BaseException | None, text: str, *, hint: str, code: int) -> int:
    if error is not None and os.environ.get("RUNBOOK_DEBUG"):
        import traceback

        traceback.print_exception(error)
    click.secho(f"runbook: {harmless(text)}", fg="red", err=True)
    if hint:
        click.secho(f"  try: {harmless(hint)}", fg="yellow", err=True)
    return code


if __name__ == "__main__":
    main()
