"""Settings: `[tool.runbook]` of the repository's `pyproject.toml`, read at a commit, and the few things a machine adds.

The only place that knows setting names and environment variables. A setting that is not known is refused: a typo must
not silently become a default.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from runner import label_names
from runner.errors import OperatorError
from runner.label_names import LabelNames

_NAMES = frozenset({"project", "branch", "evidence-branch", "issues-branch", "bot"})
_NAME = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9]+(?:[-_./][A-Za-z0-9]+)*")
"""They become folders, refs, markers and keys, so they hold nothing that means something there."""
_STORE = re.compile(
    r"environment|files"
    r"|sops:(?!\.\.?(?:/|\Z))(?!\S*/\.\.?(?:/|\Z))[A-Za-z0-9_.][A-Za-z0-9_./-]*\.(?:yaml|yml|json|env|ini)"
    # Without TLS only on this machine, where Vault's own agent listens.
    r"|vault:(?:https://[A-Za-z0-9][A-Za-z0-9.-]*|http://(?:127\.0\.0\.1|localhost))(?::[0-9]{1,5})?"
    r"/v1/[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*?/data/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*(?:\?version=[1-9][0-9]{0,8})?"
)
"""Ways to name a secret store."""
STORES = "environment, files, sops:PATH-IN-THE-REPOSITORY.yaml or vault:https://HOST/v1/MOUNT/data/PATH"
_SERVER = re.compile(r"(?:https://[A-Za-z0-9][A-Za-z0-9.-]*|http://(?:127\.0\.0\.1|localhost))(?::[0-9]{1,5})?")
_AT_GITLAB = re.compile(r"[0-9]+|[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")
_ZONE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""A runner's tag: it travels as a typed input of a pipeline."""
_FOR_WORKERS = re.compile(
    r"PATH|HOME|USER|LOGNAME|TMPDIR|TZ|LANG|LC_[A-Z]+|XDG_(?:STATE|CACHE|CONFIG|DATA)_HOME|PYTHONPATH"
    r"|RUNBOOK_(?:STATE|HOST|DEBUG|SECRET_.+)"
    r"|SSH_AUTH_SOCK|GIT_SSH|GIT_SSH_COMMAND|GIT_CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM)|GIT_SSL_CAINFO"
    r"|SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|(?i:https?_proxy|all_proxy|no_proxy)"
    # Where the packages of a lock file come from; what opens a private index is meant for this, what publishes is not.
    r"|(?:PIP|UV)_(?:(?:EXTRA_)?INDEX_URL|NO_INDEX|FIND_LINKS|CONFIG_FILE)|PIP_(?:CERT|CLIENT_CERT|DEFAULT_TIMEOUT)"
    r"|UV_(?:INDEX|DEFAULT_INDEX|INDEX_[A-Z0-9_]+_(?:USERNAME|PASSWORD)|OFFLINE|NO_CONFIG|NATIVE_TLS|HTTP_TIMEOUT)"
)
"""Variables that workers are given."""
DOING = "reading [tool.runbook] of pyproject.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Checked settings. Times are seconds, sizes MiB.

    `project` is the id that genesis froze; `branch` holds runbooks and policy; `lease` is how long a silent owner is
    waited for; `gitlab` is the server's address and `gitlab_project` the project's path or number there, for
    `forge = "gitlab"`; `secrets` is a folder of secret files, one for each name; `secret_stores` are asked in order.
    `zones` are patterns of targets with the tag of the runners that reach them, for `executor = "gitlab-ci"`.
    `labels` is what labels are called.
    """

    project: str = ""
    branch: str = "main"
    evidence_branch: str = "evidence"
    issues_branch: str = "issues"
    forge: str = "local"
    gitlab: str = ""
    gitlab_project: str = ""
    executor: str = "local"
    bot: str = "runbook"
    lease: int = 60
    timeout: int = 3600
    cell_timeout: int = 600
    kernel_memory: int = 4096
    kernel_processes: int = 512
    kernel_open_files: int = 4096
    kernel_file_size: int = 10240
    secrets: str = ""
    secret_stores: tuple[str, ...] = ("environment", "files")
    zones: tuple[tuple[str, str], ...] = ()
    labels: LabelNames = field(default_factory=LabelNames)

    @property
    def others(self) -> tuple[str, ...]:
        """The branches beside the code: what the runner did (and with which keys), and on plain Git what people say."""
        return (self.evidence_branch, *((self.issues_branch,) if self.forge == "local" else ()))


def read(text: str | None) -> Settings:
    """Read settings from the text of `pyproject.toml`; no file and no table mean defaults.

    Raises:
        OperatorError: naming every setting that is unknown or of the wrong type.
    """
    try:
        table = tomllib.loads(text or "").get("tool", {}).get("runbook", {})
    except tomllib.TOMLDecodeError as error:
        raise OperatorError(DOING, str(error), hint="correct the file on the protected branch") from error
    if not isinstance(table, dict):
        raise OperatorError(DOING, "tool.runbook is not a table")
    known = {one.name.replace("_", "-"): one for one in fields(Settings)}
    labels, wrong = label_names.read(table.pop("labels", {}))
    problems = [*wrong, *(f"{name} is not a setting" for name in table if name not in known)]
    for name, value in table.items():
        if name == "secret-stores":
            problems += _not_stores(value)
        elif name == "zones":
            problems += _not_zones(value)
        elif name in known and not _fits(value, str(known[name].type)):
            problems.append(f"{name} must be of type {known[name].type}, not {value!r}")
        elif name in _NAMES and not _NAME.fullmatch(str(value)):
            problems.append(f"{name} = {value!r} must be of letters and digits with single - _ . / between them")
    problems += _not_a_forge(table) + _not_an_executor(table)
    if problems:
        raise OperatorError(DOING, "; ".join(problems), hint=f"settings are: {', '.join(known)}")
    stores, zones = table.pop("secret-stores", None), table.pop("zones", {})
    settings = Settings(
        **{name.replace("-", "_"): value for name, value in table.items()}, zones=(*zones.items(),), labels=labels
    )
    return replace(settings, secret_stores=tuple(stores)) if stores else settings


def _not_a_forge(table: Mapping[str, object]) -> list[str]:
    """What keeps a forge from being reachable."""
    forge, url, place = (str(table.get(name, "")) for name in ("forge", "gitlab", "gitlab-project"))
    wrong = []
    if forge not in {"", "local", "gitlab"}:
        wrong.append(f"forge = {forge!r} must be local or gitlab")
    if forge == "gitlab" and not (url and place):
        wrong.append("forge = 'gitlab' needs gitlab and gitlab-project")
    if url and not _SERVER.fullmatch(url):
        wrong.append("gitlab must be an address such as https://gitlab.example.org, without a path")
    if place and not _AT_GITLAB.fullmatch(place):
        wrong.append("gitlab-project must be a path such as ops/runbooks, or the project's number")
    return wrong


def _not_an_executor(table: Mapping[str, object]) -> list[str]:
    """What keeps runs from happening anywhere."""
    executor = table.get("executor", "local")
    if executor not in ("local", "gitlab-ci"):
        return [f"executor = {executor!r} must be local or gitlab-ci"]
    lacking = [name for name in ("gitlab", "gitlab-project", "zones") if not table.get(name)]
    return [f"executor = 'gitlab-ci' needs {', '.join(lacking)}"] if executor == "gitlab-ci" and lacking else []


def _not_zones(value: object) -> list[str]:
    """What keeps a value from being a table of target patterns and runner tags."""
    if not isinstance(value, dict):
        return ["zones must be a table of target patterns, each with the tag of the runners that reach them"]
    return [
        f"zones: the tag of {pattern!r} must be of letters, digits and - _ ."
        for pattern, tag in value.items()
        if not isinstance(tag, str) or not _ZONE.fullmatch(tag)
    ]


def _not_stores(value: object) -> list[str]:
    """What keeps a value from being a list of secret stores, each once; a typo must not silently ask one fewer."""
    if not isinstance(value, list) or not value:
        return [f"secret-stores must be a list of {STORES}"]
    # Shown without what may be a password or a token in it.
    wrong = [
        ascii(re.sub(r"//[^/]*@|\?.*", "...", str(one)))[:120]
        for one in value
        if not isinstance(one, str) or not _STORE.fullmatch(one)
    ]
    twice = sorted({one for one in value if isinstance(one, str) and value.count(one) > 1})
    return [
        *(f"secret-stores: {one} is not {STORES}" for one in wrong),
        *(f"secret-stores: {one} is there twice" for one in twice),
    ]


def _fits(value: object, kind: str) -> bool:
    if kind == "int":
        return type(value) is int and value > 0
    return isinstance(value, str) and value != ""


def state_folder(project: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Where this machine keeps keys, spool and tables of a project: never inside the repository.

    `RUNBOOK_STATE` names the folder above; else it is `$XDG_STATE_HOME/runbook`, else `~/.local/state/runbook`.
    """
    named = environ.get("RUNBOOK_STATE")
    home = Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return (Path(named) if named else home / "runbook") / project


def environments_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where this machine keeps the environments that it built, for all projects: a lock's digest is the same in each.

    No project can have this name.
    """
    return state_folder(".environments", environ)


def worker_command(clone: Path, *, hidden: Iterable[Path]) -> tuple[str, ...]:
    """How a worker of this installation is started; the spool's path comes behind. No cell sees the hidden folders."""
    # -P: the folder that the supervisor happens to be in is nothing to import from.
    words = (sys.executable, "-P", "-m", "runner.cli.main", "-C", str(clone), "worker")
    return (*words, *(f"--hidden={path}" for path in hidden))


def worker_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What a worker is given of our own environment: an allow list, so that no token comes along by accident.

    Secrets that the operator meant for runs; where things are; and what Git needs to ask the remote whether the start
    is still open, as far as it is no token itself. Cells get none of this but the path and the language.
    """
    return {name: value for name, value in environ.items() if _FOR_WORKERS.fullmatch(name)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Which job of which pipeline of which project at GitLab this process is in, by GitLab's own numbers."""

    project: int
    pipeline: int
    job: int


def job(environ: Mapping[str, str] = os.environ) -> Job | None:
    """The job that this process is in, as GitLab's runner says; None in no job."""
    numbers = [environ.get(name, "") for name in ("CI_PROJECT_ID", "CI_PIPELINE_ID", "CI_JOB_ID")]
    if not all(number.isascii() and number.isdigit() for number in numbers):
        return None
    project, pipeline, number = map(int, numbers)
    return Job(project=project, pipeline=pipeline, job=number)


def job_folders(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Where GitLab's runner keeps what belongs to a job: variables that are files, credentials of its clone."""
    place = environ.get("CI_PROJECT_DIR")
    return (Path(f"{place}.tmp"),) if place else ()


def host(environ: Mapping[str, str] = os.environ) -> str:
    """What this machine is called in events: `RUNBOOK_HOST`, where its name is nobody's business, else its name."""
    return environ.get("RUNBOOK_HOST") or socket.gethostname() or "unnamed"
