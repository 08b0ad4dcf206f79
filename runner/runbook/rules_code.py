"""Rules about what the code of cells says: failures that nobody would see, secrets, code from the network.

They look for the ways in which a mistake usually looks; they prove nothing about code that hides what it does. The
review of the notebook, the policy and the sandbox are for that.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from runner.runbook import leaks
from runner.runbook.cells import REHEARSED, Cell, Role
from runner.runbook.finding import Hit, Rule, Severity
from runner.runbook.runbook import Runbook

_UNSEEN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^\s*%%(?:bash|sh|script)\b.*\s--bg\b"), "`--bg` leaves the command's failure unseen"),
    (re.compile(r"^\s*%%?\w+\b.*\s--no-raise-error\b"), "`--no-raise-error` leaves the command's failure unseen"),
    (re.compile(r"\bos\.(?:system|popen|spawn\w+)\s*\("), "os.system and its kin do not fail when the command does"),
    (re.compile(r"\bsystem_raise_on_error\s*=\s*(?!True\b)"), "it switches off that failing commands fail their cell"),
    (re.compile(r"\bget_ipython\(\)\.(?:system|getoutput|run_line_magic)\b"), "the command's failure may stay unseen"),
    (re.compile(r"^\s*!.*&\s*$"), "a command in the background fails unseen"),
    (re.compile(r"^\s*(?:\w+\s*=\s*)?!.*\|\|\s*(?:true|:)\s*$"), "`|| true` leaves the command's failure unseen"),
)
_TO_SHELL = re.compile(
    r"""
    \b(?:curl|wget|base64\s+(?:-d|-D|--decode))\b[^\n;]*\|\s*(?:sudo\s+(?:-\S+\s+)*)?(?:[\w/.-]*/)?
        (?:(?:ba|z|da|k|a|fi)?sh|python[\d.]*|perl|ruby|node)\b
    | \b(?:ba|z|da|k|a)?sh\s+(?:-\w+\s+)*<\(\s*(?:curl|wget)\b
    | (?:\b(?:ba|z|da|k|a)?sh\s+-\w*c|\beval|\bsource|(?<!\S)\.)\s*["']?(?:\$\(|`|<\()\s*(?:curl|wget)\b
    | \b(?:exec|eval)\s*\(\s*(?:compile\s*\(\s*)?(?:requests|httpx|urllib|urlopen)\b
    | ^\s*%(?:run|load)\s+https?://
    """,
    re.VERBOSE | re.MULTILINE,
)
_ENDS = re.compile(r"^\s*(?:(?:sys\.|os\._?)?exit|quit)\s*\(", re.MULTILINE)
_ASKS = re.compile(r"(?<![\w.])(?:input|getpass(?:\.getpass)?)\s*\(")


def _unseen_failure(runbook: Runbook) -> Iterator[Hit]:
    for cell in _code(runbook):
        for line in _lines(cell.source):
            for pattern, wrong in _UNSEEN:
                if pattern.search(line):
                    hint = "Run it with sh([...]), or with !cmd or %%bash alone, which fail the cell."
                    yield Hit(cell=cell.index, message=wrong, hint=hint)


def _unchecked(runbook: Runbook) -> Iterator[Hit]:
    for cell in _code(runbook):
        for call in _calls(cell.source):
            words = {word.arg: word.value for word in call.keywords}
            given = words.get("check")
            checked = isinstance(given, ast.Constant) and given.value is True
            if ast.unparse(call.func) in {"subprocess.run", "subprocess.call", "subprocess.Popen"} and not checked:
                yield Hit(
                    cell=cell.index,
                    message=f"{ast.unparse(call.func)} without check=True does not fail when the command does",
                    hint="Use sh([...]), or check=True.",
                )


def _literal_secret(runbook: Runbook) -> Iterator[Hit]:
    hint = "Remove it, change it where it is valid (it stays in Git's history), and use secret(NAME)."
    found = False
    for cell in runbook.cells:
        for leak in leaks.findings(cell.source):
            found = True
            yield Hit(cell=cell.index, message=f"it holds what looks like a secret ({leak.rule})", hint=hint)
    if not found:
        for leak in leaks.findings(runbook.content.decode(errors="replace")):
            yield Hit(message=f"its metadata or outputs hold what looks like a secret ({leak.rule})", hint=hint)


def _pipe_to_shell(runbook: Runbook) -> Iterator[Hit]:
    for cell in _code(runbook):
        if _TO_SHELL.search("\n".join(_lines(cell.source.replace("\\\n", " ")))):
            yield Hit(
                cell=cell.index,
                message="it executes what a server sends, which nobody reviewed and no commit pins",
                hint="Install a pinned version beforehand, or download, compare the digest, then execute.",
            )


def _undeclared_secret(runbook: Runbook) -> Iterator[Hit]:
    header = runbook.header
    everything = {*header.read_secrets, *header.change_secrets}
    for cell in _code(runbook):
        for call in _calls(cell.source):
            match call:
                case ast.Call(func=ast.Name(id="secret"), args=[ast.Constant(value=str(name))]):
                    allowed = set(header.read_secrets) if cell.role in REHEARSED else everything
                    if name not in allowed:
                        kind = "read" if cell.role in REHEARSED else "read or change"
                        yield Hit(
                            cell=cell.index,
                            message=f"the secret {name!a} is not declared for this cell",
                            hint=f"Name it in the header under `secrets:` as {kind}.",
                        )
                case _:
                    pass


def _overwritten(runbook: Runbook) -> Iterator[Hit]:
    names = {parameter.name for parameter in runbook.parameters.parameters}
    for cell in _code(runbook):
        if cell.role is Role.PARAMETERS:
            continue
        for name in sorted(names & _assigned(cell.source)):
            yield Hit(
                cell=cell.index,
                message=f"the parameter {name} gets another value here than the one approved",
                hint="Use another name for the new value.",
            )


def _ends_itself(runbook: Runbook) -> Iterator[Hit]:
    for cell in _code(runbook):
        if _ENDS.search(cell.source):
            yield Hit(
                cell=cell.index,
                message="ending the kernel looks like success to some tools, and is a failure here",
                hint="Stop with check(condition, message).",
            )


def _asks(runbook: Runbook) -> Iterator[Hit]:
    for cell in _code(runbook):
        if any(_ASKS.search(line) for line in _lines(cell.source)):
            yield Hit(
                cell=cell.index,
                message="nobody is there to answer a question during a run",
                hint="Make it a parameter, or a secret.",
            )


def _code(runbook: Runbook) -> Iterator[Cell]:
    return (cell for cell in runbook.cells if cell.kind == "code")


def _lines(source: str) -> list[str]:
    """The lines that are not comments."""
    return [line for line in source.splitlines() if not line.lstrip().startswith("#")]


def _tree(source: str) -> ast.Module:
    """Parse a cell's Python; lines of the shell and magics become `pass`, and what is no Python is empty."""
    if source.lstrip().startswith("%%"):
        return ast.Module(body=[], type_ignores=[])
    plain = re.sub(r"^(\s*)(?:\w+\s*=\s*)?[!%].*$", r"\1pass", source, flags=re.MULTILINE)
    try:
        return ast.parse(plain)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module(body=[], type_ignores=[])


def _calls(source: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(_tree(source)) if isinstance(node, ast.Call))


def _assigned(source: str) -> set[str]:
    """Names that a cell binds at its top level: by assignment, import or definition."""
    found: set[str] = set()
    for node in _tree(source).body:
        match node:
            case ast.Assign(targets=targets):
                found |= {each.id for each in targets if isinstance(each, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.AugAssign(target=ast.Name(id=name)):
                found.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                found |= {alias.asname or alias.name.split(".")[0] for alias in aliases}
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case _:
                pass
    return found


_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

RULES = (
    Rule(id="R08", title="failure of a command that nobody sees", severity=_ERROR, check=_unseen_failure),
    Rule(id="R09", title="literal secret", severity=_ERROR, check=_literal_secret, safety=True),
    Rule(id="R10", title="pipe to shell", severity=_ERROR, check=_pipe_to_shell, safety=True),
    Rule(id="R19", title="subprocess without check", severity=_WARNING, check=_unchecked),
    Rule(id="R20", title="parameter overwritten", severity=_WARNING, check=_overwritten),
    Rule(id="R24", title="undeclared secret", severity=_ERROR, check=_undeclared_secret),
    Rule(id="R27", title="kernel ended by the cell", severity=_WARNING, check=_ends_itself),
    Rule(id="R28", title="question to nobody", severity=_WARNING, check=_asks),
)
