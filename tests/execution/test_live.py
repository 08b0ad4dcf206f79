"""The live log: what cells show, as it comes, masked, and never more than anybody could read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.execution import live
from runner.execution.live import Live
from runner.execution.phases import Step
from runner.execution.progress import Said, said
from runner.execution.redact import Masker
from runner.ports.live_log import LiveLog, read
from tests.execution.conftest import Prepare, until

VALUE = "correct-horse-battery"


class Bench:
    """A live log in a folder, with a clock that a test sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 100.0
        self.live = Live(LiveLog(folder), masker=Masker({"PW": VALUE}), clock=lambda: self.now)

    def said(self) -> tuple[Said, ...]:
        return said(read(self.folder, 0)[0])

    def text(self) -> str:
        return "".join(one.text for one in self.said())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "live")


def step(number: int, name: str = "act") -> Step:
    return Step(index=number, id=f"c{number}", role="change", name=name, source="1")


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"msg_type": "stream", "content": {"name": name, "text": text}}


def test_a_cells_words_are_there_while_it_runs_with_the_cell_and_the_time(bench: Bench) -> None:
    bench.live.began(step(3), phase="forward")
    bench.now += 2.5
    bench.live.shows(stream("working...\n"))
    assert bench.said() == (Said(at=2.5, phase="forward", cell="c3", name="act", text="working...\n"),)


def test_a_secret_is_masked_over_messages_streams_and_displays(bench: Bench) -> None:
    bench.live.began(step(0, name=f"use {VALUE}"), phase="forward")
    for message in (
        stream("it is correct-"),
        stream("horse-", "stderr"),
        {"msg_type": "display_data", "content": {"data": {"text/plain": "battery"}}},
    ):
        bench.live.shows(message)
    bench.live.ended()
    assert bench.text().rstrip() == "it is [redacted:PW]"
    assert VALUE not in read(bench.folder, 0)[0].decode()


def test_what_one_cell_holds_back_is_decided_at_its_end_and_not_joined_to_the_next(bench: Bench) -> None:
    bench.live.began(step(0), phase="forward")
    bench.live.shows(stream("correct-horse"))
    bench.live.began(step(1), phase="forward")
    bench.live.shows(stream("-battery. "))
    bench.live.ended()
    assert [one.text for one in bench.said() if one.cell == "c0"] == ["correct-horse"]
    assert "".join(one.text for one in bench.said() if one.cell == "c1") == "-battery. "


@pytest.mark.parametrize(
    "message",
    [
        {"msg_type": "status", "content": {"execution_state": "busy"}},
        {"msg_type": "display_data", "content": {"data": {"image/png": "AAAA"}}},
        {"msg_type": "update_display_data", "content": {"data": {"text/plain": "50%"}}},
        {"msg_type": "error", "content": {"traceback": ["Traceback", "ValueError: no"]}},
        {"msg_type": "clear_output", "content": {"wait": True}},
    ],
)
def test_what_has_no_words_is_passed_over(bench: Bench, message: dict[str, Any]) -> None:
    bench.live.began(step(0), phase="forward")
    bench.live.shows(message)
    bench.live.ended()
    assert bench.said() == ()


def test_a_flood_is_left_out_and_counted_and_words_go_on_after_it(bench: Bench) -> None:
    bench.live.began(step(0), phase="forward")
    bench.live.shows(stream("x" * (live.BURST - 1) + "\n"))
    bench.live.shows(stream("correct-horse"))
    bench.now += 10
    bench.live.shows(stream("-battery is the end of a secret.\n" + "line\n" * 200))
    bench.live.shows(stream("line\n" * 200))
    bench.live.shows(stream("and on."))
    bench.live.ended()
    after = bench.text().split("\n", 1)[1]
    assert after.startswith("[13 characters came too fast to be shown here]\n")
    assert "battery" not in after
    assert after.endswith("line\nand on.")


def test_text_that_has_no_bytes_is_written_all_the_same(bench: Bench) -> None:
    bench.live.began(step(0), phase="forward")
    bench.live.shows(stream("\ud800 ok\n"))
    assert bench.text() == "? ok\n"


def test_a_real_worker_lets_its_cells_be_watched(prepare: Prepare) -> None:
    source = "from pathlib import Path\nimport time\nfrom runner.toolkit import secret, sh\n"
    source += "for c in 'password: ' + secret('PW'):\n    print(c, end='', flush=True)\nprint()\n"
    source += "sh(['echo', 'from a command'])\nprint('waiting.')\n"
    source += f"while not Path({str(Path.home())!r}, '{{go}}').exists(): time.sleep(0.05)\n"
    run = prepare(("change", source.replace("{go}", "no-such-file")), secrets={"PW": VALUE}, timeout=60.0)
    process = run.start()
    try:
        until(lambda: b"waiting." in read(run.spool / "live", 0)[0])
        text = "".join(one.text for one in said(read(run.spool / "live", 0)[0]))
        assert text == "password: [redacted:PW]\nfrom a command\nwaiting.\n"
    finally:
        (run.spool / "cancel").write_text("leave")
        run.wait(process)
