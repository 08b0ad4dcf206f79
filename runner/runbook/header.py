"""The header: what a runbook declares about itself in the YAML of its first raw cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from runner.digest import Json
from runner.errors import RequestError
from runner.request import strict_yaml
from runner.request.strict_yaml import Node
from runner.runbook import duration, environment, proposing
from runner.runbook.options import shown

DOING = "reading the header"
KEYS = (
    "title",
    "owner",
    "risk",
    "target",
    "secrets",
    "access",
    "environment",
    "proposes",
    "timeout",
    "close_issue",
    "irreversible",
    "examples",
)
_RISK = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_SECRET = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_HOLE = re.compile(r"\{([a-z_][a-z0-9_]{0,63})\}")
_TARGET_TEXT = re.compile(r"[A-Za-z0-9._~:/@+=,-]*")
_SYSTEM_OWN = frozenset({"proc", "dev"})
"""What every sandbox has its own of."""
_MAX_TARGET = 200
_MAX_TARGETS = 16
_MAX_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the sandbox opens; nothing by default. `read` and `write` may name parameters: see `opened`."""

    network: bool = False
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    processes: str = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A checked header. `timeout` is the whole run's, in seconds; `present` is False for a notebook without one.

    `target` holds the templates as written; without any, the reader fills in the runbook's own name. `environment` is
    the path of a lock file from the repository's root; None for the runner's own packages. `proposes` are globs of the
    files in Git that its plan cells may propose to change.
    """

    title: str
    owner: str = ""
    risk: str = "unclassified"
    target: tuple[str, ...] = ()
    read_secrets: tuple[str, ...] = ()
    change_secrets: tuple[str, ...] = ()
    access: Access = field(default_factory=Access)
    environment: str | None = None
    proposes: tuple[str, ...] = ()
    timeout: float | None = None
    close_issue: bool = False
    irreversible: str | None = None
    examples: tuple[tuple[str, Json], ...] = ()
    present: bool = True


def is_header(source: str) -> bool:
    """Whether a raw first cell claims to be a header: it starts with a `---` line."""
    return source.lstrip().splitlines()[:1] == ["---"]


def read(source: str) -> Header:
    """Read a header.

    Args:
        source: the raw cell's text: YAML between two `---` lines.

    Raises:
        RequestError: with every unknown key and every value that is not accepted.
    """
    lines = source.rstrip().splitlines()
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if not is_header(source) or len(lines) < first + 2 or lines[-1].rstrip() != "---":
        raise RequestError(
            DOING, "it does not stand between two `---` lines", hint="Begin and end the cell with `---`."
        )
    written = strict_yaml.mapping("\n".join(lines[first + 1 : -1]), doing=DOING, first_line=first + 2)
    values: dict[str, object] = {}
    wrong: list[str] = []
    for key, value in written.items():
        check = _CHECKS.get(key)
        try:
            if check is None:
                raise ValueError("one of: " + ", ".join(KEYS))  # noqa: TRY301 - unknown keys are told like wrong values
            values[key] = check(value)
        except ValueError as error:
            what = f"the key {shown(key)} is unknown" if check is None else f"{key}: {shown(value)} is not accepted"
            wrong.append(f"{what}; write {error}")
    if wrong:
        raise RequestError(DOING, "; ".join(wrong), hint="Correct these lines of the first cell.")
    return _header(values)


def _header(values: Mapping[str, object]) -> Header:
    secrets = values.get("secrets")
    access = values.get("access")
    read_secrets, change_secrets = secrets if isinstance(secrets, tuple) else ((), ())
    target, examples, timeout = values.get("target"), values.get("examples"), values.get("timeout")
    irreversible, lock, proposes = (values.get(key) for key in ("irreversible", "environment", "proposes"))
    return Header(
        title=str(values.get("title", "")),
        owner=str(values.get("owner", "")),
        risk=str(values.get("risk", "unclassified")),
        target=target if isinstance(target, tuple) else (),
        read_secrets=read_secrets,
        change_secrets=change_secrets,
        access=access if isinstance(access, Access) else Access(),
        environment=lock if isinstance(lock, str) else None,
        proposes=proposes if isinstance(proposes, tuple) else (),
        timeout=timeout if isinstance(timeout, float) else None,
        close_issue=values.get("close_issue") is True,
        irreversible=irreversible if isinstance(irreversible, str) else None,
        examples=tuple(examples.items()) if isinstance(examples, dict) else (),
    )


def targets(header: Header, values: Mapping[str, Json]) -> tuple[str, ...]:
    """Say what a run with these values acts on: the names of its locks.

    Args:
        header: with the templates; a parameter stands in one as `{name}`, and nothing else is interpreted.
        values: checked values of every parameter that a template names.

    Returns:
        Each target once, values percent-encoded, never empty.

    Raises:
        RequestError: if a value is missing, empty, not a single value, or would make a target that names nothing.
    """
    found = tuple(dict.fromkeys(_filled(template, values) for template in header.target))
    if not found:
        raise RequestError("working out the target", "there is none", hint="Give the header a `target:`.")
    return found


def named(template: str) -> tuple[str, ...]:
    """Parameters that a template names."""
    return tuple(_HOLE.findall(template))


def opened(templates: tuple[str, ...], values: Mapping[str, Json]) -> tuple[str, ...]:
    """Fill in the paths of `access.read` or `access.write`: unlike targets they are taken as they are.

    Raises:
        RequestError: if a value is missing, or a path is not absolute, climbs with `..`, or is nothing to open.
    """
    paths = tuple(_HOLE.sub(lambda hole: _text(hole[1], values), template) for template in templates)
    for path in paths:
        parts = [part for part in path.split("/") if part not in {"", "."}]
        if not path.startswith("/") or ".." in parts or not path.isprintable():
            wrong, hint = "is not an absolute path without `..`", "Give the parameter an absolute path."
        elif not parts or parts[0] in _SYSTEM_OWN:
            wrong, hint = "is not opened to any runbook", "Name the folders; `processes: host` opens /proc."
        else:
            continue
        raise RequestError("working out what the sandbox opens", f"{shown(path)} {wrong}", hint=hint)
    return paths


def _filled(template: str, values: Mapping[str, Json]) -> str:
    target = _HOLE.sub(lambda hole: quote(_text(hole[1], values), safe=""), template)
    if len(target) > _MAX_TARGET or any(part in {"", ".", ".."} for part in target.split("/")):
        raise RequestError(
            "working out the target",
            f"{shown(target)} names nothing that can be locked",
            hint=f"Every part between slashes needs a name, and {_MAX_TARGET} characters are the limit.",
        )
    return target


def _text(name: str, values: Mapping[str, Json]) -> str:
    value = values.get(name)
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value) if isinstance(value, (str, int, float)) else ""
    if not text:
        raise RequestError(
            "working out the target",
            f"the parameter {name} has to be a single value that is not empty",
            hint=f"Give {name} a value.",
        )
    return text


def _line(value: Node) -> str:
    if isinstance(value, str) and value.strip() and len(value) <= _MAX_TEXT and value.isprintable():
        return value.strip()
    raise ValueError(f"one line of text, at most {_MAX_TEXT} characters")


def _word(value: Node) -> str:
    if isinstance(value, str) and _RISK.fullmatch(value):
        return value
    raise ValueError("one word of the policy in lower case, such as low or high")


def _templates(value: Node) -> tuple[str, ...]:
    written = value if isinstance(value, list) else [value]
    found = tuple(
        item for item in written if isinstance(item, str) and item and _TARGET_TEXT.fullmatch(_HOLE.sub("", item))
    )
    if not found or len(found) != len(written) or len(found) > _MAX_TARGETS:
        raise ValueError(
            "a name such as staging/orders-db or {environment}/{database}, or a list of them: "
            "letters, digits and ._~:/@+=,- around parameters in braces"
        )
    return found


def _secrets(value: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
    accepted = ValueError("{read: [NAME, ...], change: [NAME, ...]} with the names of secrets, never their values")
    if not isinstance(value, dict) or set(value) - {"read", "change"}:
        raise accepted
    lists: list[tuple[str, ...]] = []
    for key in ("read", "change"):
        names = value.get(key) or []
        found = [name for name in names if isinstance(name, str) and _SECRET.fullmatch(name)]
        if not isinstance(names, list) or len(found) != len(names):
            raise accepted
        lists.append(tuple(dict.fromkeys(found)))
    return lists[0], lists[1]


def _access(value: Node) -> Access:
    accepted = ValueError("{network: true or false, read: [/path, ...], write: [/path, ...], processes: own or host}")
    if not isinstance(value, dict) or set(value) - {"network", "read", "write", "processes"}:
        raise accepted
    paths: list[tuple[str, ...]] = []
    for key in ("read", "write"):
        written = value.get(key) or []
        found = [path for path in written if isinstance(path, str) and path.startswith(("/", "{"))]
        if not isinstance(written, list) or len(found) != len(written) or not all(map(str.isprintable, found)):
            raise accepted
        paths.append(tuple(dict.fromkeys(found)))
    processes = value.get("processes", "own")
    if processes not in ("own", "host"):
        raise accepted
    network = _flag(value.get("network", "false"))
    return Access(network=network, read=paths[0], write=paths[1], processes=str(processes))


def _lock(value: Node) -> str:
    if isinstance(value, str) and environment.PATH.fullmatch(value):
        return value
    raise ValueError("the path of a lock file of the repository, such as runbooks/environments/db.lock")


def _flag(value: Node) -> bool:
    if value not in ("true", "false"):
        raise ValueError("true or false")
    return value == "true"


def _duration(value: Node) -> float:
    return duration.seconds(value if isinstance(value, str) else "")


def _examples(value: Node) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise ValueError("a value for each required parameter, such as {database: orders}")  # noqa: TRY004 - told with the other values
    return {name: strict_yaml.as_json(example) for name, example in value.items()}


_CHECKS: Mapping[str, Callable[[Node], object]] = {
    "title": _line,
    "owner": _line,
    "risk": _word,
    "target": _templates,
    "secrets": _secrets,
    "access": _access,
    "environment": _lock,
    "proposes": proposing.globs,
    "timeout": _duration,
    "close_issue": _flag,
    "irreversible": _line,
    "examples": _examples,
}
