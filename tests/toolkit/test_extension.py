"""`%load_ext runner.toolkit` in a real IPython shell, without a kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(cell: str, tmp_path: Path) -> bool:
    """Whether a cell succeeds in a fresh shell with the extension loaded."""
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_line_magic('load_ext', 'runner.toolkit')\n"
        f"print('GOOD' if shell.run_cell({cell!r}).success else 'BAD')\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path), "HOME": str(tmp_path)}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return "GOOD" in found.stdout


@pytest.mark.parametrize("cell", ["!true", "x = !echo hi", "%%bash\ntrue\n", "%%sh\ntrue\n"])
def test_a_command_that_works_leaves_the_cell_well(cell: str, tmp_path: Path) -> None:
    assert run(cell, tmp_path)


@pytest.mark.parametrize(
    "cell",
    ["!false", "x = !false", "!false\n!true", "%%bash\nfalse\ntrue\n", "%%bash\nfalse | true\n", "%%sh\nfalse\ntrue\n"],
)
def test_any_failing_line_fails_the_cell(cell: str, tmp_path: Path) -> None:
    assert not run(cell, tmp_path)


def test_a_record_reaches_the_runner_as_a_display_message(tmp_path: Path) -> None:
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "from IPython.utils.capture import capture_output\n"
        "shell = InteractiveShell.instance()\n"
        "with capture_output() as kept:\n"
        "    shell.run_cell('from runner.toolkit import record, artifact')\n"
        "    shell.run_cell('record(\\'a\\', [1]); artifact(\\'b.txt\\', \\'hi\\')')\n"
        "assert kept.outputs[0].data['application/vnd.runbook.record+json'] == {'name': 'a', 'value': [1]}\n"
        "assert kept.outputs[1].data['application/vnd.runbook.artifact+json']['data'] == 'aGk='\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path), "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
