"""`Field`: the bounds of a parameter, written inside `Annotated`.

The runner reads them from the notebook's text. In the kernel they only have to be there, so this keeps them and checks
nothing; the real check happens before anything runs.
"""

from __future__ import annotations

_KNOWN = frozenset({"ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length", "pattern", "description"})


class Field:
    """Bounds by name: `ge` `gt` `le` `lt` `multiple_of` for numbers, `min_length` `max_length` `pattern` for text."""

    __slots__ = ("bounds",)

    def __init__(self, **bounds: float | str) -> None:
        unknown = sorted(set(bounds) - _KNOWN)
        if unknown:
            message = f"Field knows no {', '.join(unknown)}; it knows {', '.join(sorted(_KNOWN))}"
            raise TypeError(message)
        self.bounds = bounds

    def __repr__(self) -> str:
        return f"Field({', '.join(f'{name}={value!r}' for name, value in self.bounds.items())})"
