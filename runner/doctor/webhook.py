"""D12 to D16: the webhook that wakes `runbook serve`. Nothing depends on it, but without it everything is slower."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from runner.doctor.facts import Broken, Facts, Trial, Vouching
from runner.doctor.finding import Check, Remark, fine, not_checked, warning, wrong
from runner.ports.premises import Blind, Hook, Unseen

PAGE = "Settings > Webhooks"
PATH = "/webhook"
"""Where `runbook serve` takes deliveries."""
_ALWAYS = ("issues", "note", "confidential_issues", "confidential_note", "merge_requests")
_NAMES = {
    "issues": "Work item events",
    "note": "Comments",
    "confidential_issues": "Confidential work item events",
    "confidential_note": "Confidential comments",
    "merge_requests": "Merge request events",
    "pipeline": "Pipeline events",
}
DELIVER = "runbook doctor --deliver --maintainer-token FILE sends a test"
_UNAUTHORISED = frozenset({401, 403})


def served(facts: Facts) -> bool:
    """Whether this machine takes deliveries, or somebody said where they are taken."""
    return facts.gitlab and (facts.machine.vouching is not None or bool(facts.url))


def hooks(facts: Facts) -> list[Hook]:
    """The hooks that are ours: at the address that was said, or at any host with the path of `runbook serve`."""
    found = facts.premises.hooks
    if not served(facts) or not isinstance(found, tuple):
        return []
    if facts.url:
        return [one for one in found if one.url.rstrip("/") == facts.url.rstrip("/")]
    return [one for one in found if urlsplit(one.url).path.rstrip("/").endswith(PATH)]


def there(facts: Facts) -> Iterator[Remark]:
    """D12: there is one hook for us."""
    found = facts.premises.hooks
    if not served(facts):
        return
    if isinstance(found, Unseen):
        yield not_checked(found)
        return
    own, where = hooks(facts), facts.url or f"https://YOUR-RUNNER{PATH}"
    if not own:
        fix = f"{PAGE} > Add new webhook: {where}, with a signing token, for {_told(_needed(facts))}"
        yield wrong(f"no webhook of the project has the address {where}", fix=fix)
    elif len(own) > 1:
        addresses = ", ".join(f"{_place(one)} (number {one.number})" for one in own)
        yield warning(f"several webhooks wake it: {addresses}", fix=f"{PAGE}: remove those that are not this runner's")
    else:
        yield fine(f"GitLab delivers to {_place(own[0])}")


def events(facts: Facts) -> Iterator[Remark]:
    """D13: it delivers what wakes the runner, also of confidential issues."""
    for one in hooks(facts):
        missing = tuple(kind for kind in _needed(facts) if kind not in one.events)
        if missing:
            fix = f"{PAGE}: tick {_told(missing)} ({_call(one)}?{'&'.join(f'{kind}_events=true' for kind in missing)})"
            yield warning(f"it does not deliver {_told(missing)}: those wait for the next round", fix=fix)
        else:
            yield fine(f"it delivers {_told(_needed(facts))}")


def signed(facts: Facts) -> Iterator[Remark]:
    """D14: deliveries are signed, and this machine knows by which token."""
    vouching = facts.machine.vouching
    if not served(facts):
        return
    if isinstance(vouching, Broken):
        yield wrong(vouching.wrong, fix=vouching.fix)
        return
    for one in hooks(facts):
        yield _both(one, vouching)


def _both(hook: Hook, vouching: Vouching | None) -> Remark:
    """What the two sides use."""
    file = "the file webhook-signing of the state folder (mode 0600)"
    renew = f"{PAGE}: generate a signing token, and put it into {file}"
    if vouching is None:
        why = "this machine takes no deliveries, so its side of the signature was not seen"
        return not_checked(Unseen(why=why, blind=Blind.NOBODY), fix="run it on the machine of runbook serve")
    if hook.signed is None:
        why = "this GitLab does not tell whether a webhook has a signing token"
        return not_checked(Unseen(why=why, blind=Blind.RIGHT), fix=DELIVER)
    if hook.signed and vouching.signing:
        return fine(f"both sides have a signing token. That it is the same one is shown by a delivery: {DELIVER}")
    if hook.signed:
        return wrong("GitLab signs, and this machine has no signing token: every delivery is refused", fix=renew)
    if hook.secret and vouching.plain:
        return warning(
            "the older secret token is used, which vouches neither for the words nor for the time", fix=renew
        )
    return wrong("GitLab does not sign its deliveries, so every one is refused", fix=renew)


def secured(facts: Facts) -> Iterator[Remark]:
    """D15: what is delivered goes to us and nobody else."""
    for one in hooks(facts):
        near = urlsplit(one.url).hostname in {"127.0.0.1", "localhost", "::1"}
        if one.url.startswith("https://") and not one.verified:
            fix = f"{PAGE}: enable SSL verification ({_call(one)}?enable_ssl_verification=true)"
            yield wrong("GitLab does not check the receiver's certificate", fix=fix)
        elif not one.url.startswith("https://") and not near:
            fix = f"put a proxy with TLS before runbook serve, and give the webhook its https:// address ({PAGE})"
            yield warning("deliveries travel without TLS: others on the way can read them", fix=fix)
        else:
            yield fine(
                "GitLab checks the receiver's certificate" if not near else "it stays on the server's own machine"
            )


def arrives(facts: Facts) -> Iterator[Remark]:
    """D16: it is switched on, and the last delivery was taken."""
    for one in hooks(facts):
        if one.state != "executable":
            fix = f"correct what the last deliveries met with ({PAGE} > Recent events); a test that is taken switches "
            yield wrong(f"GitLab has switched it off after failures ({one.state})", fix=f"{fix}it on again: {DELIVER}")
        yield _tried(facts.trial) if facts.trial else _last(one)


def _tried(trial: Trial) -> Remark:
    """What came of the test that was asked for."""
    if isinstance(trial.problem, Broken):
        return wrong(trial.problem.wrong, fix=trial.problem.fix)
    if isinstance(trial.problem, Unseen):
        return not_checked(trial.problem)
    if trial.arrived is None:
        why = "the test was taken, but not by this machine, which has no inbox"
        return not_checked(Unseen(why=why, blind=Blind.NOBODY), fix="run it on the machine of runbook serve")
    if not trial.arrived:
        fix = f"{PAGE}: see that the address leads to the runbook serve of this machine and project"
        return wrong("somebody took the test delivery, and it is not in this machine's inbox", fix=fix)
    return fine("a test delivery went out, its signature held, and it is in the inbox")


def _last(hook: Hook) -> Remark:
    if isinstance(hook.deliveries, Unseen):
        return not_checked(hook.deliveries)
    if not hook.deliveries:
        why = "nothing was delivered in the last days, so nobody knows whether it arrives"
        return not_checked(Unseen(why=why), fix=DELIVER)
    last = hook.deliveries[0]
    if 200 <= last.status < 300:  # noqa: PLR2004 - what HTTP calls success
        return fine(f"the last of {len(hook.deliveries)} deliveries ({last.trigger}) was answered with {last.status}")
    told = f"the last delivery ({last.trigger}) was answered with {last.status}"
    if last.status in _UNAUTHORISED:
        fix = (
            f"the tokens of both sides differ, or a clock is wrong (D18): {PAGE}, generate a signing token, and put it"
        )
        return wrong(told, fix=f"{fix} into the file webhook-signing of the state folder")
    if not last.status:
        fix = f"see that runbook serve runs, and that GitLab reaches {_place(hook)} (proxy, firewall, certificate)"
        return wrong(f"the last delivery ({last.trigger}) reached nobody", fix=fix)
    return wrong(told, fix=f"see the log of runbook serve and of the proxy before it; then {DELIVER}")


def _needed(facts: Facts) -> tuple[str, ...]:
    return (*_ALWAYS, "pipeline") if facts.settings.executor == "gitlab-ci" else _ALWAYS


def _told(kinds: tuple[str, ...]) -> str:
    return ", ".join(_NAMES[kind] for kind in kinds)


def _call(hook: Hook) -> str:
    return f"PUT /projects/ID/hooks/{hook.number}"


def _place(hook: Hook) -> str:
    """Its address without what may be a secret in it."""
    parts = urlsplit(hook.url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


CHECKS = (
    Check(number="D12", title="A webhook wakes the runner", judge=there),
    Check(number="D13", title="The webhook delivers what matters", judge=events),
    Check(number="D14", title="Deliveries are signed, and both sides know it", judge=signed),
    Check(number="D15", title="Deliveries travel safely", judge=secured),
    Check(number="D16", title="Deliveries arrive", judge=arrives),
)
