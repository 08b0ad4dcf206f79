"""`python -m tests.benchmarks [NAME...]`: ratios from one run, beside their goals; a miss is printed as one.

Long histories are made once, in a folder that is kept (`--keep DIR`) or thrown away. Nothing here is a timed test.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks import at_gitlab, delivering, memory, reading, running, starting, writing
from tests.benchmarks.row import Row

NAMES: dict[str, Callable[[Path], Iterator[Row]]] = {
    "help": lambda _: starting.help_text(),
    "run": lambda _: starting.cold_run(),
    "warm": lambda _: running.warm(),
    "sustained": lambda _: running.sustained(),
    "large": lambda _: running.large(),
    "linear": lambda _: running.growth(),
    "memory": lambda _: memory.rows(),
    "growth": writing.growth,
    "gitpython": writing.beside_gitpython,
    "race": lambda _: writing.race(),
    "verify": reading.proving,
    "signatures": reading.signatures,
    "calls": lambda _: at_gitlab.calls(),
    "started": lambda _: at_gitlab.started(),
    "issues": lambda _: at_gitlab.issues(),
    "webhook": lambda _: delivering.webhook(),
    "query": lambda folder: reading.questions(folder, runs=100_000),
}


def main() -> None:
    """Run what was named, or everything, and print each row when it is there."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *NAMES], help="which; all of them by default")
    parser.add_argument("--keep", type=Path, help="a folder for the long histories, to be found again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = given.keep or Path(name)
        print_row(("goal", "what", "measured", "wanted", ""))
        missed = 0
        for chosen in given.names or NAMES:
            for row in NAMES[chosen](folder):
                print_row(row.cells())
                missed += row.hit is False
    sys.stdout.write(f"\n{missed} missed\n" if missed else "\nall hit\n")


def print_row(cells: tuple[str, ...]) -> None:
    """Print one line of the table."""
    line = f"{cells[0]:>4}  {cells[1]:<72} {cells[2]:<36} {cells[3]:<16} {cells[4]}".rstrip()
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
