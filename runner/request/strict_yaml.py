"""The strict subset of YAML that requests, headers and cell options are written in.

It lives here, in the first stage that reads YAML, and the runbook stage uses it too: one loader, one set of limits.
Every scalar stays the text that was written (`no`, `012` and `1:30` mean nothing by themselves; a schema gives them a
type). Anchors, aliases, tags, directives, duplicate keys and further documents are refused rather than interpreted. It
does not know what the keys mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from runner.digest import Json
from runner.errors import RequestError

if TYPE_CHECKING:
    import yaml

Node: TypeAlias = "str | list[Node] | dict[str, Node]"


class Unwritten(str):
    """The empty value of a key behind which nothing was written, not even quotes; it reads as an empty text."""

    __slots__ = ()


MAX_BYTES = 16 * 1024
MAX_DEPTH = 8


class YamlError(RequestError):
    """The text is not in the subset. `line` counts from 1 in the text that its reader sees."""

    def __init__(self, doing: str, wrong: str, *, line: int, hint: str = "") -> None:
        super().__init__(doing, f"line {line}: {wrong}", hint=hint)
        self.line = line


def load(text: str, *, doing: str, first_line: int = 1) -> Node:
    """Read one document.

    Args:
        text: what was written, at most 16 KiB as UTF-8.
        doing: what the caller is doing, for the message.
        first_line: the line number, in what people see, of the text's first line.

    Returns:
        Text, lists and mappings of text; an empty document is an empty text.

    Raises:
        YamlError: if it is not YAML, or uses anything outside the subset.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise YamlError(
            doing, f"{size} bytes is too much (at most {MAX_BYTES})", line=first_line, hint="Write less in this block."
        )
    return _Reading(text, doing=doing, first_line=first_line).document()


def mapping(text: str, *, doing: str, first_line: int = 1) -> dict[str, Node]:
    """Read one document that has to be a mapping; an empty one is an empty mapping.

    Raises:
        YamlError: as `load`, or if it is a list or a single text.
    """
    node = load(text, doing=doing, first_line=first_line)
    if isinstance(node, dict):
        return node
    if node == "":
        return {}
    raise YamlError(doing, "expected lines of the form `key: value`", line=first_line, hint="Write `key: value` lines.")


def as_json(node: Node) -> Json:
    """The same values under the type that everything later speaks (a `Json` that happens to hold only text)."""
    if isinstance(node, list):
        return [as_json(item) for item in node]
    if isinstance(node, dict):
        return {key: as_json(value) for key, value in node.items()}
    return node


class _Reading:
    """One pass over the parser's events; it builds nothing that was not written out in full."""

    def __init__(self, text: str, *, doing: str, first_line: int) -> None:
        self._text = text
        self._doing = doing
        self._first = first_line
        self._events: Iterator[yaml.Event] = iter(())

    def document(self) -> Node:
        import yaml

        try:
            self._events = iter(yaml.parse(self._text, Loader=yaml.SafeLoader))
            next(self._events)
            event = next(self._events)
            if isinstance(event, yaml.StreamEndEvent):
                return ""
            if isinstance(event, yaml.DocumentStartEvent) and (event.version or event.tags):
                raise self._refuse(event, "a % directive is not accepted here")
            node = self._node(next(self._events), depth=1)
            next(self._events)
            event = next(self._events)
            if not isinstance(event, yaml.StreamEndEvent):
                raise self._refuse(event, "a second document (`---`) is not accepted here")
        except yaml.YAMLError as error:
            raise self._syntax(error) from None
        return node

    def _node(self, event: yaml.Event, *, depth: int) -> Node:
        import yaml

        if isinstance(event, yaml.AliasEvent):
            raise self._refuse(event, "an alias (`*name`) is not accepted here", hint="Write the value out.")
        if not isinstance(event, yaml.NodeEvent) or event.anchor is not None:
            raise self._refuse(event, "an anchor (`&name`) is not accepted here", hint="Write the value out.")
        if getattr(event, "tag", None) is not None:
            raise self._refuse(event, "a tag (`!name`) is not accepted here", hint="Leave the tag out.")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if depth > MAX_DEPTH:
            raise self._refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(depth)
        return self._mapping(depth)

    def _scalar(self, event: yaml.ScalarEvent) -> str:
        """Half of a surrogate pair is no character: it could not be written anywhere again."""
        text = str(event.value)
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise self._refuse(event, "a \\u escape stands for half a character", hint="Write the character itself.")
        return Unwritten() if not text and event.style is None else text

    def _sequence(self, depth: int) -> list[Node]:
        import yaml

        items: list[Node] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, depth=depth + 1))
        return items

    def _mapping(self, depth: int) -> dict[str, Node]:
        import yaml

        found: dict[str, Node] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._node(event, depth=depth + 1)
            if not isinstance(key, str):
                raise self._refuse(event, "a key has to be plain text")
            if key in found:
                raise self._refuse(event, f"the key {key!a} is there twice", hint="Keep one of them.")
            found[key] = self._node(next(self._events), depth=depth + 1)
        return found

    def _refuse(self, event: yaml.Event, wrong: str, *, hint: str = "Write plain `key: value` lines.") -> YamlError:
        mark = event.start_mark
        return YamlError(self._doing, wrong, line=self._first + (mark.line if mark else 0), hint=hint)

    def _syntax(self, error: yaml.YAMLError) -> YamlError:
        """Say what the parser said, in one line and without the text around it, which may hold anything."""
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
        return YamlError(
            self._doing,
            ascii(str(problem)).strip("'\""),
            line=self._first + (mark.line if mark else 0),
            hint="Check indentation, colons and quotes on this line; quote a value that holds `: ` or ` #`.",
        )
