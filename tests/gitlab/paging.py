"""Pages of a list: by number with links and totals, or by key with nothing but the next link."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from tests.gitlab.answers import Answer, bad
from tests.gitlab.call import Call

MOST = 100
COUNTED = 10_000
"""Rows above which GitLab does not say how many there are."""
DEEPEST = 50_000
"""The last row that pages by number reach."""

Item = TypeVar("Item")


def paged(
    call: Call,
    rows: Sequence[Item],
    show: Callable[[Item], Any],
    *,
    seen: Callable[[Item], bool] | None = None,
    key: Callable[[Item], int] | None = None,
) -> Answer:
    """One page of rows.

    Args:
        call: the request, with `page` and `per_page`.
        rows: all of them, in order.
        show: a row as JSON.
        seen: whether the user may see a row; asked after the page was cut, so that a page may be short.
        key: the id of a row, where keyset paging is possible.
    """
    size = _number(call, "per_page", 20)
    size = min(size, MOST)
    if call.query.get("pagination") == "keyset" and key is not None:
        return _by_key(call, rows, show, key=key, size=size)
    page = _number(call, "page", 1)
    if (page - 1) * size >= DEEPEST:
        raise bad(f"Offset pagination has a maximum allowed offset of {DEEPEST}")
    cut = rows[(page - 1) * size : page * size]
    last = max(1, -(-len(rows) // size))
    following = str(page + 1) if page * size < len(rows) else ""
    headers = {
        "X-Page": str(page),
        "X-Per-Page": str(size),
        "X-Next-Page": following,
        "X-Prev-Page": str(page - 1) if page > 1 else "",
        "Link": _links(call, page=page, last=last, more=bool(following)),
    }
    if len(rows) <= COUNTED:
        headers |= {"X-Total": str(len(rows)), "X-Total-Pages": str(last)}
    return Answer(body=[show(row) for row in cut if seen is None or seen(row)], headers=headers)


def _by_key(
    call: Call, rows: Sequence[Item], show: Callable[[Item], Any], *, key: Callable[[Item], int], size: int
) -> Answer:
    after = int(call.query.get("id_after", "0") or 0)
    ordered = sorted((row for row in rows if key(row) > after), key=key)
    cut = ordered[:size]
    headers = {}
    if len(ordered) > size:
        query = {**call.query, "id_after": str(key(cut[-1]))}
        headers["Link"] = f'<{call.base}{call.path}?{urlencode(query)}>; rel="next"'
    return Answer(body=[show(row) for row in cut], headers=headers)


def _number(call: Call, name: str, default: int) -> int:
    value = call.query.get(name, str(default))
    if not value.isdigit() or int(value) < 1:
        raise bad(f"{name} does not have a valid value")
    return int(value)


def _links(call: Call, *, page: int, last: int, more: bool) -> str:
    wanted = {"prev": page - 1 if page > 1 else 0, "next": page + 1 if more else 0, "first": 1, "last": last}
    return ", ".join(
        f'<{call.base}{call.path}?{urlencode({**call.query, "page": str(number)})}>; rel="{name}"'
        for name, number in wanted.items()
        if number
    )
