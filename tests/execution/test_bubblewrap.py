"""The sandbox from inside: whatever a cell's process tries, it finds what was opened and nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from runner.execution import bubblewrap
from runner.execution.bubblewrap import Own
from runner.execution.sandbox import Sandbox

from .conftest import processes, until

pytestmark = pytest.mark.skipif(not bubblewrap.usable(), reason="machine: bubblewrap is not usable here")


@dataclass(frozen=True)
class Host:
    """A machine: its state folder with a key, somebody's data, and a room for one kernel, all in one folder."""

    folder: Path
    own: Own
    sandbox: Sandbox

    def sh(self, script: str, **changes: object) -> subprocess.CompletedProcess[str]:
        """Run a script in the sandbox."""
        words = bubblewrap.command(replace(self.sandbox, **changes), self.own)  # type: ignore[arg-type]
        return subprocess.run([*words, "sh", "-c", script], check=False, capture_output=True, text=True, timeout=30)

    def python(self, code: str, **changes: object) -> subprocess.CompletedProcess[str]:
        """Run Python code in the sandbox, with the interpreter that kernels have."""
        words = bubblewrap.command(replace(self.sandbox, **changes), self.own)  # type: ignore[arg-type]
        return subprocess.run(
            [*words, sys.executable, "-P", "-c", code], check=False, capture_output=True, text=True, timeout=30
        )


@pytest.fixture
def host(tmp_path: Path) -> Host:
    state, data = tmp_path / "state", tmp_path / "data"
    room = state / "spool" / "one"
    for folder in (room / "given", room / "work", room / "home", state / "spool" / "another", data / "inner"):
        folder.mkdir(parents=True)
    for file in (state / "key", state / "spool" / "another" / "order", data / "file", data / "inner" / "file"):
        file.write_text(f"content of {file.name}")
    own = Own(read=(room / "given",), write=(room / "work", room / "home"), work=room / "work", shut=room)
    return Host(folder=tmp_path, own=own, sandbox=Sandbox(level="bwrap", hidden=(str(state),)))


def test_it_starts_in_its_work_folder_and_can_write_there_only(host: Host) -> None:
    scratch = Path("/tmp", host.folder.name)  # noqa: S108 - the sandbox has its own
    made = host.sh(f"pwd; echo kept > result; touch ../given/x; touch /x /usr/x /etc/x; echo tmp > {scratch}")
    assert made.stdout == f"{host.own.work}\n"
    assert (host.own.work / "result").read_text() == "kept\n"
    assert made.stderr.count("Read-only file system") == 4
    assert not scratch.exists()


def test_neither_key_nor_state_nor_others_nor_homes_exist_in_it(host: Host) -> None:
    found = host.sh(
        f"cd {host.folder}; ls -A . state state/spool; cat /etc/shadow; ls -d /root/.ssh /home/* /boot /sys"
    )
    assert found.stdout.split() == [".:", "state", "state:", "spool", "state/spool:", "one"]


def test_a_folder_that_is_read_is_not_written_and_one_that_is_written_is(host: Host) -> None:
    data = str(host.folder / "data")
    read = host.sh(f"cat {data}/file; echo no > {data}/file; rm {data}/inner/file", read=(data,))
    assert read.stdout == "content of file"
    assert read.stderr.count("Read-only file system") == 2
    nested = {"read": (data,), "write": (f"{data}/inner",)}
    assert host.sh(f"echo new > {data}/inner/file; echo no > {data}/file", **nested).returncode != 0
    assert (host.folder / "data" / "inner" / "file").read_text() == "new\n"
    assert (host.folder / "data" / "file").read_text() == "content of file"


def test_what_does_not_exist_cannot_be_made_in_memory_and_lost(host: Host) -> None:
    made = host.sh("mkdir -p /srv/of-nobody/trash", write=("/srv/of-nobody/trash",))
    assert "Read-only file system" in made.stderr
    missing = str(host.folder / "trash")
    assert bubblewrap.missing(replace(host.sandbox, write=(missing, str(host.folder)))) == (missing,)


def test_what_is_hidden_stays_shut_in_an_opened_folder_and_by_any_other_name(host: Host) -> None:
    everything, alias = str(host.folder), host.folder.with_name(f"{host.folder.name}-alias")
    alias.symlink_to(host.folder)
    for opened in ({"read": (everything,)}, {"write": (everything,)}, {"write": (str(alias),)}):
        looks = f"cat {everything}/state/key {alias}/state/key; ls {everything}/state; touch {everything}/state/x"
        found = host.sh(looks, **opened)
        assert "content" not in found.stdout
        assert found.stdout.split() == ["spool"]
        assert "Read-only file system" in found.stderr
    assert host.sh(f"echo kept > {host.own.work}/result", write=(everything,)).returncode == 0
    assert (host.own.work / "result").read_text() == "kept\n"


def test_what_lies_in_a_hidden_folder_is_refused_by_any_name(host: Host) -> None:
    link = host.folder / "link"
    link.symlink_to("state/key")
    asked = replace(host.sandbox, read=(f"{host.folder}/state", "/usr"), write=(str(link), str(host.folder)))
    assert sorted(bubblewrap.refused(asked)) == sorted((f"{host.folder}/state", str(link)))


def test_a_path_spelled_with_links_is_found_under_its_spelling(host: Host) -> None:
    link = host.folder / "current"
    link.symlink_to("data")
    assert host.sh(f"cat {link}/file {link}/inner/file", read=(str(link),)).stdout == "content of filecontent of file"
    assert host.sh(f"cat {link}/inner/file", read=(f"{link}/inner",)).stdout == "content of file"


def test_packages_are_nobodys_to_change(host: Host) -> None:
    import ipykernel

    folder = Path(ipykernel.__file__).parent
    done = host.python(f"import ipykernel; open({str(folder / 'x.py')!r}, 'w')", write=(str(folder.parent.parent),))
    assert "Read-only file system" in done.stderr


@pytest.fixture
def listening() -> Iterator[int]:
    """A port of this machine on which somebody answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.mark.parametrize("network", [False, True])
def test_the_network_is_there_only_if_it_was_declared(*, host: Host, listening: int, network: bool) -> None:
    code = f"import socket; socket.create_connection(('127.0.0.1', {listening}), timeout=5); print('connected')"
    done = host.python(code, network=network)
    assert (done.stdout == "connected\n") is network
    assert network or "Connection refused" in done.stderr


def test_it_sees_its_own_processes_only(host: Host) -> None:
    seen = host.sh("ls -d /proc/[0-9]*").stdout.split()
    assert 0 < len(seen) < 5
    assert host.sh(f"kill -0 {os.getpid()}").returncode != 0


def test_it_sees_the_hosts_processes_if_declared_and_still_neither_their_memory_nor_their_files(host: Host) -> None:
    with subprocess.Popen(["sleep", "60"], env={"PASSWORD": "x"}, cwd=host.folder) as other:
        looks = "cat comm; cat environ maps fd/0; ls root/ cwd/; echo 1 > oom_score_adj"
        done = host.sh(f"kill -0 {other.pid} && cd /proc/{other.pid} && ({looks})", processes="host")
        ptrace = f"import ctypes; print(ctypes.CDLL(None).ptrace(16, {other.pid}, 0, 0))"
        traced = host.python(ptrace, processes="host")
        assert other.poll() is None
        assert host.sh(f"kill {other.pid}", processes="host").returncode == 0
    assert done.stdout == "sleep\n"
    assert traced.stdout == "-1\n"
    assert "PASSWORD" not in done.stdout


def test_it_has_no_capability_and_cannot_get_one(host: Host) -> None:
    for whose in ("own", "host"):
        status = host.sh("grep -E '^(Cap|NoNewPrivs)' /proc/self/status", processes=whose).stdout
        assert {line.split()[1].strip("0") for line in status.splitlines() if line.startswith("Cap")} == {""}
        assert "NoNewPrivs:\t1" in status
        assert host.sh("mount -o remount,rw /usr || umount /proc", processes=whose).returncode != 0
        # The same value again, in case it could be written after all.
        written = host.sh(
            "read was < /proc/sys/vm/swappiness; echo $was > /proc/sys/vm/swappiness", processes=processes
        )
        assert "Read-only file system" in written.stderr


def test_nothing_is_left_when_its_parent_is_killed(host: Host) -> None:
    words = bubblewrap.command(host.sandbox, host.own)
    script = "setsid sleep 4323 & echo up; sleep 60"
    parent = f"import subprocess, time; subprocess.Popen({[*words, 'sh', '-c', script]!r}); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.kill()
    until(lambda: not processes("sleep\x004323"), seconds=5)
