"""What is said on a confidential issue stays there: what goes on record of it, and what does not.

On record are who asked, who agreed, when, and in which comment; the words are not, nor any digest of them alone, since
a short text can be guessed from one. The plan has a salted digest; the salt is told on the issue and nowhere else, so
that whoever may read the issue can prove what was asked, and whoever has the repository alone cannot even guess it.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from runner.approval.collect import Recordable
from runner.approval.halting import Switching
from runner.approval.rules import Policy
from runner.digest import Digest, sha256
from runner.errors import RequestError
from runner.ledger.bodies import Answer, QuestionKind, Said
from runner.plan.plan import HUSHED, Plan
from runner.ports.forge import Thread
from runner.ports.signer import Signer
from runner.request.request import Request

_HINT = "have policy let it (confidential = true in its rule), or ask on an issue that is not confidential"
_Body = TypeVar("_Body", bound=Recordable | Switching)


def hushed(plan: Plan, thread: Thread) -> bool:
    """Whether what is said about a run stays on its issue: it is confidential, or was when the run was asked for."""
    return plan.requested.confidential or thread.issue.confidential


def without_words(body: _Body) -> _Body:
    """The same event without anything that its author wrote."""
    changes = {"reason": HUSHED} if body.reason else {}
    return msgspec.structs.replace(body, said=bare(body.said), **changes)


def bare(said: Said) -> Said:
    """Who said it and where, without what was signed: that holds the words."""
    return msgspec.structs.replace(said, payload=None, signature=None)


def check(policy: Policy, plan: Plan, request: Request) -> None:
    """See that nothing which was written on a confidential issue would have to go on record.

    Raises:
        RequestError: if values would, and policy does not let them.
    """
    if not request.confidential or _let(policy, plan):
        return
    # What is undone has its values on record already.
    given = [name for name, one in plan.parameters.items() if one.source != "default" and not request.revert_of]
    asked = [one.parameter for one in plan.questions if one.kind is QuestionKind.ASK]
    if given or asked:
        names = ", ".join(given or asked)
        wrong = f"the issue is confidential, and the values given there ({names}) would be in the repository for good"
        raise RequestError("asking policy", wrong, hint=_HINT)


def refusal(policy: Policy, plan: Plan, body: Recordable, *, thread: Thread) -> str:
    """Why an answer that was written on a confidential issue cannot be taken; empty where it can."""
    if not isinstance(body, Answer) or isinstance(body.value, bool) or not hushed(plan, thread) or _let(policy, plan):
        return ""
    return f"the issue is confidential, and a value given there would be in the repository for good; {_HINT}"


def _let(policy: Policy, plan: Plan) -> bool:
    rules = policy.rules_for(runbook=plan.runbook.name, risk=plan.risk, targets=plan.targets)
    return bool(rules) and all(rule.confidential for rule in rules)


def asked_in(plan: Plan, request: Request, *, signer: Signer) -> Plan:
    """The plan with a digest of the request's words that nobody can guess them from, and without its other words."""
    if not request.confidential:
        return plan
    digest = salted(request.comment.body, salt=_salt(plan, signer))
    requested = msgspec.structs.replace(plan.requested, confidential=True, text_sha256=digest)
    return msgspec.structs.replace(plan, requested=requested, emergency=HUSHED if plan.emergency else "")


def salted(text: str, *, salt: str) -> Digest:
    """Digest of the salt, a line feed and the words."""
    return sha256(f"{salt}\n{text}".encode())


def salt_of(plan: Plan, thread: Thread, *, signer: Signer) -> str:
    """The salt of a plan's digest, to be told on its issue.

    Empty where there is none, where the words have been changed since, and on a machine that did not make the plan.
    """
    if not plan.requested.confidential:
        return ""
    salt = _salt(plan, signer)
    words = next((one.body for one in thread.comments if one.id == plan.requested.comment), "")
    return salt if salted(words, salt=salt) == plan.requested.text_sha256 else ""


def _salt(plan: Plan, signer: Signer) -> str:
    # An Ed25519 signature is the same each time and unknown to everybody else: no file has to be kept for it. Neither
    # envelopes nor SSH signatures begin with these words.
    return sha256(signer.sign(f"runbook-request-salt\n{plan.nonce}".encode()))
