"""`%load_ext runner.toolkit`: in an author's Jupyter, a failing `!cmd` or `%%bash` line fails its cell, as in a run."""

from __future__ import annotations

from typing import Protocol

STRICT = {"bash": "bash -e -o pipefail", "sh": "sh -e"}


class Shell(Protocol):
    """The little of IPython's shell that is needed here."""

    system_raise_on_error: bool

    def run_cell_magic(self, magic_name: str, line: str, cell: str) -> object:
        """Run a cell magic."""
        ...

    def register_magic_function(self, func: object, magic_kind: str, magic_name: str) -> None:
        """Make a function a magic."""
        ...


def load_ipython_extension(shell: Shell) -> None:
    """Make failing shell lines fail their cell. Called by IPython."""
    shell.system_raise_on_error = True
    for name, command in STRICT.items():
        shell.register_magic_function(_strict(shell, command), "cell", name)


def _strict(shell: Shell, command: str) -> object:
    def run(line: str, cell: str) -> object:
        return shell.run_cell_magic("script", f"{command} {line}".rstrip(), cell)

    return run
