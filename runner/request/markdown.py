"""Which lines of a comment are its author's own plain words, and which are code, quotes or HTML.

A command counts only in plain words. This is no Markdown renderer: it knows CommonMark's blocks (and GitLab's `>>>`)
well enough to err on one side only. Where it cannot tell, the line comes with a `doubt`, a reason not to take it as a
command that its author can be told. Lines inside code, quotes and HTML comments do not come at all. Hostile text of any
size is read in linear time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_LIST = r"(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*"
_FENCE = re.compile(rf"^( {{0,3}})({_LIST})(`{{3,}}|~{{3,}})(.*)$")
_TAG = re.compile(r"^ {0,3}<(/?)([A-Za-z][A-Za-z0-9-]*)(?=[\s/>]|$)")
_OTHER_HTML = re.compile(r"^ {0,3}<(\?|!\[CDATA\[|![A-Za-z])")
_RUN = re.compile(r"`+")
_INDENTED = re.compile(r"^ {0,3}\t| {4}")
_LONG_QUOTE = re.compile(r"^>>>+[ \t]*$")

LITERAL = frozenset({"blockquote", "code", "math", "pre", "script", "style", "svg", "template", "textarea", "xmp"})
"""HTML whose content is shown as code or a quote, or not at all."""
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "wbr"})

_LITERAL_TAG = re.compile(rf"<(/?)(?:{'|'.join(sorted(LITERAL))})(?=[\s/>])", re.IGNORECASE)

ANY_LENGTH = 0
"""Stands for back-ticks of every length, where counting them is not worth it."""
LONG_LINE = 2_000
MANY = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One line outside code, quotes and HTML. `number` counts from 1; `doubt` says why it may not be, or is empty."""

    number: int
    text: str
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fenced:
    """A fenced block: its info string, its text, and whether it was closed. `number` is the line that opens it."""

    number: int
    info: str
    text: str
    closed: bool


def pieces(body: str) -> Iterator[Words | Fenced]:
    """Give the plain lines and the fenced blocks of a comment in order."""
    return _Reader(body).read()


class _Reader:
    """A cursor over the lines. `paragraph` holds plain lines until it is known what follows them."""

    def __init__(self, body: str) -> None:
        self.lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self.at = 0
        self.paragraph: list[Words] = []
        self.after_quote = False
        self.code_open = False
        self.html_open = False

    def read(self) -> Iterator[Words | Fenced]:
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if not line.strip():
                yield from self.end_paragraph()
                self.at += 1
            elif fence := _FENCE.match(line):
                yield from self.fence(fence)
            elif line.lstrip(" ").startswith(">") and not _INDENTED.match(line):
                yield from self.end_paragraph()
                self.quote(line)
            elif _TAG.match(line) or _OTHER_HTML.match(line):
                yield from self.end_paragraph()
                yield from self.html(line)
            else:
                self.words(line)
        yield from self.end_paragraph()

    def end_paragraph(self) -> Iterator[Words]:
        lines, self.paragraph = self.paragraph, []
        self.after_quote = self.code_open = self.html_open = False
        yield from _doubted(lines)

    def fence(self, match: re.Match[str]) -> Iterator[Words | Fenced]:
        indent, listed, mark, info = match.groups()
        if mark[0] == "`" and "`" in info:
            self.words(self.lines[self.at])
            return
        yield from self.end_paragraph()
        # In a list item, where the fence may end is the list's business; a line at the margin is outside it anyway.
        margin = r"\s*" if listed else " {0,3}"
        closing = re.compile(rf"^{margin}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$")
        start = self.at
        end = self.seek(lambda line: bool(closing.match(line)), start + 1)
        inside = [_unindented(line, len(indent)) for line in self.lines[start + 1 : end]]
        self.at = end + 1
        if not listed:
            yield Fenced(
                number=start + 1, info=info.strip(), text="\n".join([*inside, ""]), closed=end < len(self.lines)
            )

    def quote(self, line: str) -> None:
        self.at += 1
        if _LONG_QUOTE.match(line):
            self.at = self.seek(lambda one: bool(_LONG_QUOTE.match(one)), self.at) + 1
        self.after_quote = True

    def html(self, line: str) -> Iterator[Words]:
        """Pass over an HTML block; the lines of one that is not literal come with a doubt."""
        start, tag = self.at, ""
        if match := _TAG.match(line):
            closing, tag = match[1], match[2].lower()
            if not closing and tag not in VOID:
                end = re.compile(rf"</{re.escape(tag)}(?![A-Za-z0-9-])", re.IGNORECASE)
                start = self.seek(lambda one: bool(end.search(one)), start)
        elif match := _OTHER_HTML.match(line):
            mark = {"?": "?>", "![CDATA[": "]]>"}.get(match[1], ">")
            start = self.seek(lambda one: mark in one, start)
        first, self.at = self.at, self.seek(lambda one: not one.strip(), start)
        if tag not in LITERAL:
            for number in range(first, min(self.at, len(self.lines))):
                yield Words(number=number + 1, text=self.lines[number], doubt="it is inside HTML")

    def words(self, line: str) -> None:
        """Take a plain line, and pass over the rest of a comment that starts in it."""
        if _INDENTED.match(line) and not self.paragraph:
            self.at += 1
            return
        first = self.at
        doubt = "it continues the quote above" if self.after_quote else ""
        doubt = "it may be inside HTML" if self.html_open else doubt
        literal = self.code_open or line.lstrip(" ").startswith("<!--")
        if self.comment(line if literal else _without_code(line)):
            doubt = "an HTML comment begins in it and goes on below"
        self.paragraph.append(Words(number=first + 1, text=line, doubt=doubt))
        self.code_open = self.code_open or bool(_open(line))
        self.html_open = self.html_open or "" in (match[1] for match in list(_LITERAL_TAG.finditer(line))[-1:])
        self.at += 1

    def comment(self, line: str) -> bool:
        """Whether an HTML comment begins here and goes on below; if so, go to the line where the last one ends."""
        place, hidden = 0, False
        while (start := line.find("<!--", place)) >= 0:
            end = line.find("-->", start + 4)
            if end < 0:
                hidden = True
                self.at = self.seek(lambda one: "-->" in one, self.at + 1)
                line = self.lines[self.at] if self.at < len(self.lines) else ""
                end = line.find("-->")
            place = end + 3
        return hidden

    def seek(self, wanted: Callable[[str], bool], start: int) -> int:
        """The first line from `start` on that is wanted, or the end."""
        return next((at for at in range(start, len(self.lines)) if wanted(self.lines[at])), len(self.lines))


def _doubted(lines: list[Words]) -> Iterator[Words]:
    """Doubt the lines of a paragraph that begin inside inline code: it may run from a line above to here or below."""
    later = Counter(len(run) for line in lines for run in _RUN.findall(line.text))
    left = later.total()
    opened: set[int] = set()
    for line in lines:
        # Code that ends on this very line began above it, so the line begins inside it.
        crossing = left > 0 if ANY_LENGTH in opened else any(later[length] > 0 for length in opened)
        runs = [len(run) for run in _RUN.findall(line.text)]
        later.subtract(runs)
        left -= len(runs)
        yield Words(
            number=line.number, text=line.text, doubt=line.doubt or ("it may be inside inline code" if crossing else "")
        )
        opened |= _open(line.text)
        opened = {ANY_LENGTH} if len(opened) > MANY else opened


def _open(line: str) -> set[int]:
    """Lengths of the runs of back-ticks that find no partner on their own line."""
    if "`" not in line:
        return set()
    if "\\`" in line or len(line) > LONG_LINE:
        return {ANY_LENGTH}
    runs = [len(run) for run in _RUN.findall(line)]
    at, left = 0, set()
    while at < len(runs):
        if runs[at] in runs[at + 1 :]:
            at = runs.index(runs[at], at + 1)
        else:
            left.add(runs[at])
        at += 1
    return left


def _without_code(line: str) -> str:
    """Cut out the inline code that begins and ends on this line."""
    if "\\`" in line or len(line) > LONG_LINE:
        return line
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", line)


def _unindented(line: str, width: int) -> str:
    return line[min(width, len(line) - len(line.lstrip(" "))) :]
