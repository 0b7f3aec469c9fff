"""The second opinion: what wsgiref.validate says of the same requests.

What it says of the server is not the application's fault and is not shown; where it is stricter
than the PEP it gives advice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import Finding, Level, Party, rule, weigh
from pytest_wsgi.exchange import Exchange
from pytest_wsgi.requirements import load_requirements

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_said(exchange: Exchange, *, must: bool) -> Iterator[Finding]:
    """Yield what wsgiref.validate said of the application: broken MUSTs, or all the rest."""
    for said in exchange.validator_findings:
        level = weigh(load_requirements()[said.requirement])
        is_must = said.strictness == "pep" and level is Level.MUST
        if said.party == "application" and is_must is must:
            yield Finding(
                expected="no complaint",
                observed=f"wsgiref.validate: {said.message}",
                message=f"its check {said.check}, for the requirement {said.requirement}",
            )


@rule(
    Exchange,
    checks="harness-validator-must",
    binds=Party.APPLICATION,
    when=lambda exchange: exchange.under_validator,
    under_validator=True,
)
def wsgiref_validate_finds_no_broken_must(exchange: Exchange) -> Iterator[Finding]:
    """The standard library's own validator finds no broken MUST.

    Why: it is what others will hold against the application first. Where it is put around the
    application, such a fault is an AssertionError and the page a 500.
    """
    yield from find_said(exchange, must=True)


@rule(
    Exchange,
    checks="harness-validator-advice",
    binds=Party.APPLICATION,
    ambiguity="validator-beyond-the-pep",
    when=lambda exchange: exchange.under_validator,
    under_validator=True,
)
def wsgiref_validate_has_no_advice(exchange: Exchange) -> Iterator[Finding]:
    """The standard library's own validator has no advice beyond the PEP.

    Why: under wsgiref.validate itself, such as in another test suite, the application would fail.
    It objects to lawful things too: a 204 with a Content-Type, which Django and Flask send, a
    redirect without one, a TAB in a header.
    """
    yield from find_said(exchange, must=False)
