"""The demo's voice: headings, sentences and commands, with colour only where a terminal can show it."""

from __future__ import annotations

import os
import textwrap

import click

WIDTH = 100


class Voice:
    """Says things as they happen.

    Args:
        err: speak on standard error, because standard output belongs to a script.
    """

    def __init__(self, *, err: bool) -> None:
        self._err = err
        self._color = False if os.environ.get("NO_COLOR") else None
        self._steps = 0

    def step(self, title: str) -> None:
        """Begin the next step of the story."""
        self._steps += 1
        self._print("")
        self._print(f"{self._steps}. {title}", bold=True)

    def say(self, text: str) -> None:
        """Say a sentence or two, wrapped; a path stays in one piece."""
        for line in textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False):
            self._print(f"  {line}")

    def did(self, text: str) -> None:
        """Say that something was done, and is proven."""
        self._print(f"  ok  {text}", fg="green")

    def typed(self, command: str) -> None:
        """Show what a person would type for this."""
        self._print(f"  $ {command}", fg="cyan")

    def quote(self, text: str) -> None:
        """Show somebody's or something's own words, as they are."""
        for line in text.rstrip().splitlines():
            self._print(f"  | {line}".rstrip(), dim=True)

    def block(self, *lines: str) -> None:
        """Show commands to copy: nothing before them, nothing after."""
        for line in lines:
            self._print(f"  {line}", fg="cyan")

    def plain(self, text: str) -> None:
        """Say a line outside the steps."""
        self._print(text)

    def _print(self, text: str, *, fg: str | None = None, bold: bool | None = None, dim: bool | None = None) -> None:
        click.secho(text, fg=fg, bold=bold, dim=dim, err=self._err, color=self._color)
