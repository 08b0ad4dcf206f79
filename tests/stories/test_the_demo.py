"""The demo, really run, and judged from outside: by a TLS client that watches, and by stock git and openssl."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner.audit.finding import Report, Standing
from runner.audit.source import opened
from runner.audit.verify import Pins, read_witness, verify
from runner.execution import bubblewrap
from runner.wiring import now

KEYS = {"repository", "issue", "run", "plan", "evidence_commit", "outcome", "clones", "genesis"}
HOSTILE_CONFIG = """\
[user]
    name = Somebody Else
[commit]
    gpgsign = true
[init]
    defaultBranch = trunk
[core]
    hooksPath = /nowhere
[push]
    default = nothing
"""


@dataclass(frozen=True, kw_only=True)
class Played:
    """One demo that was run: what it printed, and what a client saw meanwhile."""

    folder: Path
    home: Path
    told: dict[str, Any]
    words: str
    seen: tuple[str, ...]
    port: int

    @property
    def remote(self) -> Path:
        return Path(self.told["repository"])

    def git(self, *arguments: str) -> str:
        return _out("git", "-C", str(self.remote), *arguments)

    def evidence(self, name: str) -> bytes:
        run = self.told["run"]
        path = f"evidence:outputs/runs/{run[:4]}/{run[4:6]}/{run[6:8]}/{run}/{name}"
        return subprocess.run(["git", "-C", str(self.remote), "show", path], check=True, capture_output=True).stdout

    def runbook(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "runner.cli.main", "-C", str(self.folder / "bob"), *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True, env=_environment(self.home, self))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Run it once, as a user whose own Git configuration would break it if it were used."""
    top = tmp_path_factory.mktemp("demo")
    home, folder, errors = top / "home", top / "d", top / "stderr"
    home.mkdir()
    (home / ".gitconfig").write_text(HOSTILE_CONFIG)
    command = [sys.executable, "-m", "runner.cli.main", "demo", "--dir", str(folder), "--json"]
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=stderr, env=_environment(home), text=True, cwd=top
        ) as process,
    ):
        port = _port(process, errors)
        seen = _watch(process, port)
        out = process.communicate()[0]
    assert process.returncode == 0, errors.read_text()
    told = json.loads(out.splitlines()[-1])
    return Played(folder=folder, home=home, told=told, words=errors.read_text(), seen=seen, port=port)


def test_tells_scripts_what_came_of_it(played: Played) -> None:
    assert set(played.told) >= KEYS
    assert played.told["outcome"] == "succeeded"
    assert re.fullmatch(r"[0-9a-f]{64}", played.told["plan"])


def test_a_client_that_watched_saw_the_certificate_change_once(played: Played) -> None:
    certificates = played.told["certificates"]
    assert [int(serial, 16) for serial in played.seen] == [int(certificates[name], 16) for name in ("before", "after")]


def test_nothing_listens_any_more(played: Played) -> None:
    with pytest.raises(OSError, match="refused"):
        ssl.get_server_certificate(("127.0.0.1", played.port), timeout=5)
    assert not (played.folder / "server" / "server.pid").exists()


def test_the_new_certificate_lasts_and_openssl_says_so(played: Played) -> None:
    file = str(played.folder / "server" / "tls" / "server.crt")
    days_85 = str(85 * 86400)
    assert subprocess.run(["openssl", "x509", "-noout", "-checkend", days_85, "-in", file], check=False).returncode == 0
    old = f"{file}.previous"
    assert subprocess.run(["openssl", "x509", "-noout", "-checkend", days_85, "-in", old], check=False).returncode == 1


def test_stock_git_log_knows_who_asked_and_who_approved(played: Played) -> None:
    text = played.git("log", "-1", "--format=%(trailers:only,unfold)", played.told["evidence_commit"])
    trailers = dict(line.split(": ", 1) for line in text.splitlines() if line)
    assert trailers["Runbook-Type"] == "finish"
    assert trailers["Runbook-Outcome"] == "succeeded"
    assert trailers["Runbook-Run"] == played.told["run"]
    assert trailers["Runbook-Plan"] == f"sha256:{played.told['plan']}"
    assert trailers["Runbook-Issue"] == played.told["issue"]
    assert trailers["Requested-By"] == "alice@example.org"
    assert trailers["Approved-By"] == "bob@example.org"


def test_stock_git_verifies_the_commit_with_the_key_of_genesis(played: Played, tmp_path: Path) -> None:
    genesis = json.loads(played.git("show", "evidence:outputs/ledger/00000/00000000.dsse.json"))
    key = json.loads(base64.b64decode(genesis["payload"]))["predicate"]["body"]["key"]
    signers = tmp_path / "signers"
    signers.write_text(f'* namespaces="git" {key}\n')
    config = ["-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={signers}"]
    for commit in played.git("rev-list", "evidence").split():
        _out("git", "-C", str(played.remote), *config, "verify-commit", commit)


def test_the_bare_remote_is_whole(played: Played) -> None:
    _out("git", "-C", str(played.remote), "fsck", "--full", "--strict")
    assert set(played.git("branch", "--format=%(refname:short)").split()) >= {"main", "evidence", "issues"}


def test_the_plan_on_record_is_the_one_that_was_approved(played: Played) -> None:
    assert hashlib.sha256(played.evidence("plan.json")).hexdigest() == played.told["plan"]


def test_the_evidence_holds_a_notebook_that_opens_and_a_manifest_of_it(played: Played) -> None:
    executed = played.evidence("attempts/1/executed.ipynb")
    manifest = json.loads(played.evidence("attempts/1/manifest.json"))
    assert json.loads(executed)["nbformat"] == 4
    assert manifest["result"]["outcome"] == "succeeded"
    listed = {file["path"]: file["sha256"] for file in manifest["files"]}
    assert listed["attempts/1/executed.ipynb"].removeprefix("sha256:") == hashlib.sha256(executed).hexdigest()
    assert played.evidence("attempts/1/summary.md")
    assert Path(played.told["notebook"]).read_bytes() == executed


def test_the_issue_is_closed_with_one_comment_of_each_kind(played: Played) -> None:
    shown = played.runbook("issue", "show", played.told["issue"], "--json")
    assert shown.returncode == 0, shown.stderr
    issue = json.loads(shown.stdout)
    assert issue["open"] is False
    kinds = re.findall(rf"<!-- runbook:{played.told['run']}:(\w+):1 -->", shown.stdout)
    assert sorted(kinds) == ["plan", "result", "status"]


def test_the_work_trees_stay_clean(played: Played) -> None:
    for clone in played.told["clones"].values():
        assert _out("git", "-C", clone, "status", "--porcelain") == ""


def test_a_second_clone_proves_it_with_the_remote_gone(played: Played, tmp_path: Path) -> None:
    _out("git", "clone", "-q", str(played.remote), str(tmp_path / "third"))
    _out("git", "-C", str(tmp_path / "third"), "remote", "set-url", "origin", "/nowhere")
    report = _verified(str(tmp_path / "third"), played)
    assert report.standing is Standing.CLEAN
    assert report.level.value == ("L4" if bubblewrap.usable() else "L3")
    assert report.runs == 1


def test_the_byte_that_the_last_words_propose_to_change_is_caught(played: Played) -> None:
    lines = [line.strip() for line in played.words.splitlines()]
    first = next(number for number, line in enumerate(lines) if line.startswith("git clone -q -b evidence"))
    clone, change, check = lines[first : first + 3]
    try:
        for line in (clone, change):
            subprocess.run(["sh", "-c", line], check=True, env=_environment(played.home, played))
        done = subprocess.run(
            ["sh", "-c", check], check=False, capture_output=True, text=True, env=_environment(played.home, played)
        )
    finally:
        shutil.rmtree(played.folder / "altered", ignore_errors=True)
    assert done.returncode == 1, done.stderr
    assert "executed.ipynb" in done.stdout


def test_every_command_to_look_around_works(played: Played) -> None:
    block = played.words.partition("Look around:\n")[2].partition("\n\n")[0]
    commands = [line.strip() for line in block.splitlines()]
    assert len(commands) >= 6
    script = "set -e\n" + "\n".join(
        f"{command} | cat" if command.startswith("git") else command for command in commands
    )
    done = subprocess.run(
        ["sh", "-c", script], check=False, capture_output=True, text=True, env=_environment(played.home)
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(played.told["run"]) >= len(commands) - 3


def test_the_users_home_is_left_alone(played: Played) -> None:
    assert [path.name for path in played.home.iterdir()] == [".gitconfig"]
    assert (played.home / ".gitconfig").read_text() == HOSTILE_CONFIG


def _verified(what: str, played: Played) -> Report:
    pins = Pins(genesis=played.told["genesis"], witness=read_witness((played.folder / "witness.txt").read_text()))
    with opened(what, at=Path(what)) as source:
        return verify(source, now=now(), pins=pins)


def _environment(home: Path, played: Played | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "RUNBOOK_", "XDG_"))}
    state = {"RUNBOOK_STATE": played.told["state"]} if played else {}
    return kept | {"HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[2])} | state


def _port(process: subprocess.Popen[str], errors: Path) -> int:
    while process.poll() is None:
        found = re.search(r"https://localhost:(\d+) ", errors.read_text())
        if found:
            return int(found[1])
        time.sleep(0.05)
    raise AssertionError(errors.read_text())


def _watch(process: subprocess.Popen[str], port: int) -> tuple[str, ...]:
    """The serials that a client gets, in order, without repetition, until nobody answers any more."""
    serials: list[str] = []
    while process.poll() is None:
        try:
            pem = ssl.get_server_certificate(("127.0.0.1", port), timeout=5)
        except OSError:
            break
        serial = _out("openssl", "x509", "-noout", "-serial", given=pem).strip().removeprefix("serial=")
        if serial not in serials[-1:]:
            serials.append(serial)
        time.sleep(0.1)
    return tuple(serials)


def _out(*command: str, given: str | None = None) -> str:
    done = subprocess.run(command, input=given, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
