"""One table of the policy's TOML, read strictly: every getter takes a key, and what nobody took is a problem.

All problems of a file are gathered, each with the line of its key and the name of its section. What the keys mean is
`policy.py`'s business.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(slots=True)
class Problems:
    """What is wrong with a text so far, in the words that its author reads."""

    text: str
    found: list[str] = field(default_factory=list)

    def add(self, line: int, where: str, wrong: str) -> None:
        """Note one problem; `line` counts from 1, 0 stands for the whole file."""
        self.found.append(f"line {line}, {where}: {wrong}" if line else f"{where}: {wrong}")

    def line_of(self, section: str, nth: int, key: str | None = None) -> int:
        """Find the line of a section's n-th header (0 = the keys before any section), or of a key below it."""
        seen, inside = -1 if section else 0, not section
        header_line = 0
        for number, line in enumerate(self.text.splitlines(), start=1):
            header = re.match(r"\s*\[\[?\s*([^\]]*?)\s*\]\]?\s*(#.*)?$", line)
            if header:
                seen += header[1] == section
                inside = header[1] == section and seen == nth
                header_line = number if inside else header_line
            elif inside and key is not None and re.match(rf'\s*"?{re.escape(key)}"?\s*=', line):
                return number
        return header_line


@dataclass(slots=True)
class Table:
    """One table and its place in the file. Getters return a harmless value after noting what was wrong.

    `inline` is the key that an inline table was written behind: its problems are on that key's line.
    """

    values: dict[str, object]
    problems: Problems
    section: str = ""
    nth: int = 0
    where: str = "the top of the file"
    inline: str = ""
    taken: set[str] = field(default_factory=set)

    def wrong(self, key: str | None, wrong: str) -> None:
        """Note a problem of one key, or of the whole table."""
        line = self.problems.line_of(self.section, self.nth, self.inline or key)
        self.problems.add(line, self.where, f"{key} {wrong}" if key else wrong)

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self.values

    def take(self, key: str) -> object:
        """Take a value as it is; None if it is not there."""
        self.taken.add(key)
        return self.values.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """Take a non-empty string; without a default the key is required."""
        value = self.take(key)
        if value is None and default is not None:
            return default
        if isinstance(value, str) and value.strip():
            return value
        self.wrong(key, "is missing" if value is None else "must be a non-empty string")
        return default or ""

    def names(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Take a list of strings, or one string that stands for a list of one."""
        value = self.take(key)
        if value is None and default is not None:
            return default
        items = [value] if isinstance(value, str) else value
        if isinstance(items, list) and all(isinstance(item, str) and item.strip() for item in items):
            return tuple(items)
        self.wrong(key, "is missing" if value is None else "must be a string or a list of non-empty strings")
        return default or ()

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        """Take one of a few words."""
        value = self.text(key, default)
        if value in choices:
            return value
        self.wrong(key, f'is "{value}"; it can be {", ".join(choices)}')
        return default

    def flag(self, key: str, *, default: bool) -> bool:
        """Take true or false."""
        value = self.take(key)
        if isinstance(value, bool):
            return value
        if value is not None:
            self.wrong(key, "must be true or false, without quotes")
        return default

    def count(self, key: str) -> int:
        """Take a whole number, zero or more; it is required."""
        value = self.take(key)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self.wrong(key, "is missing" if value is None else "must be a whole number, 0 or more")
        return 1

    def duration(self, key: str, default: timedelta) -> timedelta:
        """Take a length of time: a number and s, m, h or d."""
        value = self.take(key)
        if value is None:
            return default
        parts = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", value) if isinstance(value, str) else None
        if parts is None:
            self.wrong(key, 'must be a length of time such as "90s", "30m", "24h" or "7d"')
            return default
        return timedelta(**{_UNITS[parts[2]]: int(parts[1])})

    def moment(self, key: str) -> datetime | None:
        """Take a point in time with its zone, as a TOML date-time or an ISO 8601 string; it is required."""
        value = self.take(key)
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                value = 0
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value
        self.wrong(
            key, "is missing" if value is None else "must be a date and time with its zone: 2026-12-23T18:00:00Z"
        )
        return None

    def tables(self, key: str) -> list[Table]:
        """Take an array of tables, `[[key]]` in the file."""
        value = self.take(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.wrong(key, f"must be written as [[{key}]] sections")
            return []
        return [
            Table(item, self.problems, section=key, nth=nth, where=f"[[{key}]] {nth + 1}")
            for nth, item in enumerate(value)
        ]

    def done(self) -> None:
        """Note every key that nobody took: a misspelt restriction must not be a restriction lifted."""
        for key in (key for key in self.values if key not in self.taken):
            close = difflib.get_close_matches(key, self.taken, n=1)
            self.wrong(key, "is not a word of policy" + (f"; did you mean {close[0]}?" if close else ""))
