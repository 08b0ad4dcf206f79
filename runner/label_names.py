"""What labels are called: `[tool.runbook.labels]`; our own names by default, or GitLab's change-management practice.

Names alone. Which state or risk an issue shows is `publication/labels.py`'s business, and nothing is ever decided by a
label. The practice is of GitLab's handbook (Infrastructure, change management): `change::*` for the state, `C1` to `C4`
for how critical it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

SCOPE = "runbook::"
"""Labels of this scope are ours, whatever the settings say."""
STATES = (
    "requested",
    "planned",
    "approved",
    "started",
    "waiting",
    "succeeded",
    "failed",
    "timed_out",
    "cancelled",
    "interrupted",
    "resolved",
    "rejected",
    "expired",
)
_OVER = "change::aborted"
_PRACTICE = {
    "requested": "change::unscheduled",
    "planned": "change::unscheduled",
    "approved": "change::scheduled",
    "started": "change::in-progress",
    "waiting": "change::in-progress",
    "interrupted": "change::in-progress",
    "succeeded": "change::complete",
} | dict.fromkeys(("failed", "timed_out", "cancelled", "resolved", "rejected", "expired"), _OVER)
_CRITICAL = {"critical": "C1", "high": "C1", "unclassified": "C2", "medium": "C2", "low": "C3", "routine": "C4"}
PRESETS: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {"change-management": (_PRACTICE, _CRITICAL)}
"""By name: what states and risks are called."""
_LABEL = re.compile(r"[^\s,~][^,\n\r\t]{0,98}[^\s,]|[^\s,~]")
_RISK = re.compile(r"[a-z][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNames:
    """Checked names. `states` and `risks` map to labels; a risk without one has none.

    `former` are names that were ours once and are taken off where they still are.
    """

    states: Mapping[str, str] = field(default_factory=lambda: {state: SCOPE + state for state in STATES})
    risks: Mapping[str, str] = field(default_factory=dict)
    former: frozenset[str] = frozenset()

    def ours(self, label: str) -> bool:
        """Whether this label is ours to put on and to take off."""
        named = label in self.states.values() or label in self.risks.values()
        return named or label in self.former or label.startswith(SCOPE)


def read(value: object) -> tuple[LabelNames, list[str]]:
    """Read the setting: the name of a preset, or a table of names on top of one.

    Returns:
        The names, and everything that is wrong with the setting.
    """
    table = {"preset": value} if isinstance(value, str) else value
    if not isinstance(table, dict):
        return LabelNames(), [f"labels must be a table of names, or one of: {', '.join(PRESETS)}"]
    rest = dict(table)
    preset, risks, former = rest.pop("preset", None), rest.pop("risk", {}), rest.pop("former", [])
    wrong = [
        f"labels.{name} is no state of a run; states are: {', '.join(STATES)}" for name in rest.keys() - set(STATES)
    ]
    if preset is not None and not (isinstance(preset, str) and preset in PRESETS):
        wrong.append(f"labels.preset = {preset!r} must be one of: {', '.join(PRESETS)}")
        preset = None
    if not isinstance(risks, dict) or not all(_RISK.fullmatch(risk) for risk in risks):
        wrong.append('labels.risk must be a table such as {high = "C1"}, with risks as headers write them')
        risks = {}
    if not isinstance(former, list):
        wrong.append("labels.former must be a list of labels, or of presets")
        former = []
    named = {f"labels.{name}": label for name, label in rest.items()}
    named |= {f"labels.risk.{risk}": label for risk, label in risks.items()}
    named |= {f"labels.former, item {at}": label for at, label in enumerate(former, start=1)}
    wrong += [
        f"{name} = {label!r} is no label: 1 to 100 characters, no comma, no ~ or space before or after"
        for name, label in named.items()
        if not _is_label(label)
    ]
    if wrong:
        return LabelNames(), sorted(wrong)
    return _names(preset, states=rest, risks=risks, former=former)


def _names(
    preset: str | None, *, states: Mapping[str, str], risks: Mapping[str, str], former: list[str]
) -> tuple[LabelNames, list[str]]:
    base, critical = PRESETS[preset] if preset else (LabelNames().states, {})
    old = {label for name in former for label in (_all(name) if name in PRESETS else (name,))}
    made = LabelNames(states={**base, **states}, risks={**critical, **risks}, former=frozenset(old))
    both = sorted(set(made.states.values()) & set(made.risks.values()))
    return made, [f"labels: {label} cannot stand for a state and for a risk" for label in both]


def _all(preset: str) -> tuple[str, ...]:
    states, risks = PRESETS[preset]
    return (*states.values(), *risks.values())


def _is_label(value: object) -> bool:
    return isinstance(value, str) and _LABEL.fullmatch(value) is not None and value.isprintable()
