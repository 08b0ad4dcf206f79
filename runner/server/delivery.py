"""Is a delivery authentic, and which one is it? Answered from its exact bytes; nothing that it says is acted upon.

A signed delivery (Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`) is judged by its signature
alone, within a few minutes of now. The older shared token counts only where one is configured, and never for a delivery
that has a signature.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass

from runner.digest import Digest, sha256

LARGEST = 25 * 1024 * 1024
"""Bytes of the largest body that GitLab sends."""
_LONGEST_ID = 200
_WRITTEN = ("issue", "work_item", "note", "push")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What vouches for a delivery: signing keys as GitLab shows them (`whsec_...`), and the plain token, if any."""

    signing: tuple[str, ...] = ()
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One authentic delivery: its id, the digest of its bytes, what the forge calls the event, and who caused it.

    `by` is a user name as the forge says it, for what people write or push; else empty.
    """

    id: str
    body: Digest
    event: str
    by: str = ""


class RefusedError(Exception):
    """A delivery that is not taken; `status` is the HTTP answer, and the reason is for the log alone."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def authentic(headers: Mapping[str, str], body: bytes, keys: Keys) -> Delivery:
    """Judge a delivery.

    Args:
        headers: by their names in lower case.
        body: the exact bytes.
        keys: what vouches for it.

    Raises:
        RefusedError: if nothing that is configured vouches for it, or it is too old or from the future.
    """
    if len(body) > LARGEST:
        raise RefusedError(413, "the body is too large")
    if "webhook-signature" in headers:
        identity = _signed(headers, body, keys.signing)
    elif keys.token:
        identity = _known(headers, keys.token)
    else:
        raise RefusedError(401, "it is not signed, and no plain token is configured")
    if not identity or len(identity) > _LONGEST_ID:
        raise RefusedError(400, "it has no id")
    return Delivery(id=identity, body=sha256(body), event=headers.get("x-gitlab-event", "")[:100], by=_author(body))


def _author(body: bytes) -> str:
    """Who wrote or pushed something. Nothing is believed for it: what we did ourselves only need not wake us.

    Of everything else the user says less: a pipeline that ends is news, though we started it.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(said, dict) or said.get("object_kind") not in _WRITTEN:
        return ""
    user = said.get("user")
    name = user.get("username") if isinstance(user, dict) else said.get("user_username")
    return name if isinstance(name, str) else ""


def _signed(headers: Mapping[str, str], body: bytes, signing: tuple[str, ...]) -> str:
    from standardwebhooks.webhooks import Webhook, WebhookVerificationError

    if not signing:
        raise RefusedError(401, "it is signed, and no signing key is configured")
    wanted = {name: headers.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    wrong = ""
    for key in signing:
        try:
            Webhook(key).verify(body, wanted)
        except WebhookVerificationError as error:
            wrong = str(error)
        except ValueError:
            # The library reads the body as JSON once the signature is right; what is in it is nothing to us.
            return wanted["webhook-id"]
        else:
            return wanted["webhook-id"]
    raise RefusedError(401, f"its signature does not hold: {wrong}")


def _known(headers: Mapping[str, str], token: str) -> str:
    if not hmac.compare_digest(headers.get("x-gitlab-token", "").encode(), token.encode()):
        raise RefusedError(401, "its token is not the configured one")
    return headers.get("idempotency-key") or headers.get("x-gitlab-event-uuid", "")
