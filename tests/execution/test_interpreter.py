from __future__ import annotations

import sys
import venv
from pathlib import Path

import pytest

from runner.errors import OutsideError
from runner.execution import interpreter


def test_our_own_interpreters_folders_hold_what_a_kernel_imports_and_no_sources() -> None:
    import ipykernel

    import runner

    folders = [Path(folder) for folder in interpreter.folders(sys.executable)]
    assert any(Path(ipykernel.__file__).is_relative_to(folder) for folder in folders)
    assert any(Path(sys.executable).resolve().is_relative_to(folder.resolve()) for folder in folders)
    sources = Path(runner.__file__).parent.parent
    assert sources.name == "site-packages" or not any(sources.is_relative_to(folder) for folder in folders)


def test_another_interpreter_is_asked_for_its_own(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=False)
    found = interpreter.folders(str(tmp_path / "env" / "bin" / "python"))
    assert str(tmp_path / "env") in found
    assert sys.base_prefix in found


def test_an_interpreter_that_does_not_run_is_an_error() -> None:
    with pytest.raises(OutsideError, match="/bin/false"):
        interpreter.folders("/bin/false")
