"""Several stores as one, asked in turn; where none answers with a value, what each of them said is repeated."""

from __future__ import annotations

from collections.abc import Sequence

from runner.errors import OperatorError
from runner.ports.secrets import Secrets


class ChainedSecrets:
    """Asks stores in their order.

    Args:
        stores: the stores, first asked first.
    """

    def __init__(self, stores: Sequence[Secrets]) -> None:
        self._stores = tuple(stores)

    def resolve(self, name: str) -> str:
        """Return the value from the first store that has it.

        Raises:
            OperatorError: if none has it; it repeats what each said.
            OutsideError: from a store that cannot be asked now. Those after it are not asked: it may be the one that
                has the value, and another's would silently be a different one.
        """
        refusals: list[OperatorError] = []
        for store in self._stores:
            try:
                return store.resolve(name)
            except OperatorError as error:
                refusals.append(error)
        wrong = "; ".join(error.wrong for error in refusals) or "no store is configured"
        hint = "; ".join(dict.fromkeys(error.hint for error in refusals if error.hint))
        raise OperatorError(f"reading the secret {name}", wrong, hint=hint)
