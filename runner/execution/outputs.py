"""From what a cell showed to what is kept: masked as one text, large parts moved into artifacts, results picked out.

Nothing leaves here unmasked. The files themselves are written when the outcome is sealed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field

from runner.digest import Json, canonical, sha256
from runner.execution.outcome import Artifact
from runner.execution.redact import Masker

RECORD = "application/vnd.runbook.record+json"
"""MIME type of a display by the toolkit's `record`: name and value."""
ARTIFACT = "application/vnd.runbook.artifact+json"
"""MIME type of a display by the toolkit's `artifact`: name, media_type and data (base64)."""

LARGE = 256 * 1024
"""Bytes from which an output is kept as an artifact."""
END = 4 * 1024
"""Characters of each end of it that stay in the cell."""

_EXTENSIONS = {
    "text/plain": "txt",
    "text/html": "html",
    "text/markdown": "md",
    "text/csv": "csv",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/svg+xml": "svg",
    "application/json": "json",
    "application/pdf": "pdf",
}


@dataclass(slots=True)
class Kept:
    """What is kept of all cells so far: files by their path in the outcome, their descriptions, recorded results.

    `raw_records` is not masked: a fresh kernel needs the values as they were. It never leaves the private folder.
    """

    masker: Masker
    hidden_paths: tuple[str, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    artifacts: list[Artifact] = field(default_factory=list)
    records: dict[str, Json] = field(default_factory=dict)
    raw_records: dict[str, Json] = field(default_factory=dict)

    def keep(self, outputs: Sequence[dict[str, Json]], *, cell: int) -> tuple[tuple[dict[str, Json], ...], Texts]:
        """Take in a cell's outputs.

        Args:
            outputs: nbformat outputs as they came.
            cell: the cell's index in the runbook.

        Returns:
            The outputs to store, and the masked outputs before large ones were moved (for the fingerprint).
        """
        where = f"cell {cell + 1}"
        raw = [self._picked(output, cell=cell) for output in outputs]
        masked = [self._without_paths(output) for output in _masked(raw, masker=self.masker, where=where)]
        return tuple(self._stubbed(output, cell=cell) for output in masked), tuple(masked)

    def _picked(self, output: dict[str, Json], *, cell: int) -> dict[str, Json]:
        """Take records and artifacts out of the displays that carry them."""
        data = output.get("data")
        if not isinstance(data, dict):
            return output
        record, artifact = data.get(RECORD), data.get(ARTIFACT)
        if isinstance(record, dict) and isinstance(record.get("name"), str):
            name = str(record["name"])
            self.raw_records[name] = record.get("value")
            masked = self.masker.value({name: record.get("value")}, where=f"record of cell {cell + 1}")
            self.records.update(masked if isinstance(masked, dict) else {})
        if isinstance(artifact, dict):
            data = {kind: value for kind, value in data.items() if kind != ARTIFACT}
            return output | {"data": {**data, ARTIFACT: self._taken(artifact, cell=cell)}}
        return output

    def _taken(self, artifact: dict[str, Json], *, cell: int) -> Json:
        name, media = str(artifact.get("name") or "artifact"), str(artifact.get("media_type") or "")
        try:
            content = base64.b64decode(str(artifact.get("data") or ""), validate=True)
        except (binascii.Error, ValueError):
            return {"name": name, "error": "its data is not base64"}
        where = f"artifact of cell {cell + 1}"
        try:
            content = self.masker.mask(content.decode("utf-8"), where=where).encode("utf-8")
        except UnicodeDecodeError:
            # Cutting bytes out would break the file, so it is left out whole.
            if self.masker.left_out(content, where=where):
                return {"name": name, "error": "left out: it holds a secret's value"}
        kept = self._filed(content, media=media, cell=cell)
        return {"name": name, "path": kept.path, "sha256": kept.sha256, "size": kept.size}

    def _filed(self, content: bytes, *, media: str, cell: int) -> Artifact:
        digest = sha256(content)
        path = f"artifacts/{digest}.{_EXTENSIONS.get(media, 'bin')}"
        made = Artifact(path=path, sha256=digest, size=len(content), media_type=media, cell=cell)
        if path not in self.files:
            self.artifacts.append(made)
        self.files[path] = content
        return made

    def _without_paths(self, value: Json) -> dict[str, Json]:
        """Take the scratch folders' own paths out, which differ from run to run and say where the worker lives."""
        changed = _replaced(value, self.hidden_paths)
        return changed if isinstance(changed, dict) else {}

    def _stubbed(self, output: dict[str, Json], *, cell: int) -> dict[str, Json]:
        made = dict(output)
        text, data = made.get("text"), made.get("data")
        if isinstance(text, str) and len(text) > LARGE:
            made["text"] = self._stub(text.encode("utf-8", "replace"), media="text/plain", cell=cell)
        if isinstance(data, dict):
            made["data"] = self._stubbed_data(data, cell=cell)
        trace = made.get("traceback")
        if isinstance(trace, list) and sum(len(str(line)) for line in trace) > LARGE:
            whole = "\n".join(map(str, trace)).encode("utf-8", "replace")
            made["traceback"] = [self._stub(whole, media="text/plain", cell=cell)]
        return made

    def _stubbed_data(self, data: dict[str, Json], *, cell: int) -> dict[str, Json]:
        made: dict[str, Json] = {}
        stubs: list[str] = []
        for kind, value in data.items():
            content = _content(kind, value)
            if len(content) <= LARGE:
                made[kind] = value
            else:
                stubs.append(self._stub(content, media=kind, cell=cell))
        if stubs:
            plain = made.get("text/plain")
            made["text/plain"] = "\n".join(([plain] if isinstance(plain, str) else []) + stubs)
        return made

    def _stub(self, content: bytes, *, media: str, cell: int) -> str:
        made = self._filed(content, media=media, cell=cell)
        said = f"[{made.size} bytes of {media} are kept as {made.path}]"
        if not media.startswith("text/"):
            return said
        text = content.decode("utf-8", "replace")
        return f"{text[:END]}\n{said}\n{text[-END:]}"


Texts = tuple[dict[str, Json], ...]
"""Masked outputs, whole."""


def _masked(outputs: Sequence[dict[str, Json]], *, masker: Masker, where: str) -> list[dict[str, Json]]:
    """Mask a cell's outputs so that nothing hides in a seam: in the order of arrival, and then as each stream reads."""
    made = [dict(output) for output in outputs]
    _mask_streams(made, masker=masker, where=where)
    joined = coalesced(made)
    for name in ("stdout", "stderr"):
        _mask_streams([output for output in joined if output.get("name") == name], masker=masker, where=where)
    whole = masker.value([*joined], where=where)
    return [output for output in whole if isinstance(output, dict)] if isinstance(whole, list) else []


def _mask_streams(outputs: Sequence[dict[str, Json]], *, masker: Masker, where: str) -> None:
    own = [output for output in outputs if output.get("output_type") == "stream"]
    texts = masker.parts([str(output.get("text")) for output in own], where=where)
    for output, text in zip(own, texts, strict=True):
        output["text"] = text


def coalesced(outputs: Sequence[dict[str, Json]]) -> list[dict[str, Json]]:
    """Join streams, so that between two displays each has at most one output; how a kernel cuts them says nothing."""
    made: list[dict[str, Json]] = []
    texts: dict[str, list[str]] = {}
    places: dict[str, dict[str, Json]] = {}
    end: dict[str, Json] = {"output_type": ""}
    for output in (*outputs, end):
        if output.get("output_type") != "stream":
            for name, parts in texts.items():
                places[name]["text"] = "".join(parts)
            texts, places = {}, {}
            made.append(dict(output))
            continue
        name = str(output.get("name"))
        if name not in texts:
            texts[name], places[name] = [], dict(output)
            made.append(places[name])
        texts[name].append(str(output.get("text")))
    return made[:-1]


def _replaced(value: Json, paths: Sequence[str]) -> Json:
    if isinstance(value, str):
        for path in paths:
            value = value.replace(path, "[run]")
        return value
    if isinstance(value, list):
        return [_replaced(item, paths) for item in value]
    if isinstance(value, dict):
        return {key: _replaced(item, paths) for key, item in value.items()}
    return value


def _content(kind: str, value: Json) -> bytes:
    if not isinstance(value, str):
        return canonical(value)
    if kind.startswith("image/") and kind != "image/svg+xml":
        try:
            return base64.b64decode(value)
        except (binascii.Error, ValueError):
            return value.encode("utf-8", "replace")
    return value.encode("utf-8", "replace")
