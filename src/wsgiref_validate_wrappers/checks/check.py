"""What a check is. No checks: they are in the modules beside this one, one for each part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

__all__ = ["Check", "Locals", "Party", "Strictness"]

Strictness: TypeAlias = Literal["pep", "stricter"]
Party: TypeAlias = Literal["application", "server", "validator"]
Locals: TypeAlias = Mapping[str, Any]


def _always(_: Locals) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that `wsgiref.validate` can say.

    `id` is stable and kebab-case. `requirement` is the id of a requirement of the catalogue.
    `party` is who is blamed: the application, the server, or wsgiref.validate itself.
    The other fields tell the check from its neighbours: `function`, where in wsgiref.validate it is
    made (by its bare name); `begins`, how its message begins (empty: it has none); `raises`, the
    exceptions by which the validator trips over the fault, where it checks by accident; `when`, a
    question about the local variables there. `message` is ours, a `str.format` template over
    `values` (the local variables) and `kinds` (the names of their types). It is set where the
    standard library says nothing, or shows what may be secret (headers, blocks).
    """

    id: str
    requirement: str
    strictness: Strictness
    party: Party
    function: str
    begins: str = ""
    raises: tuple[type[Exception], ...] = ()
    when: Callable[[Locals], bool] = _always
    message: str = ""
