"""wsgiref.validate as a recording engine: what it says about a WSGI application, as findings.

    with wrap(application) as checked:
        ...  # serve `checked` as any other application
    checked.findings

Here live the public names, nothing else. Standard library only; independent of pytest_wsgi.
"""

from __future__ import annotations

from wsgiref_validate_wrappers.checks import CHECKS, Check
from wsgiref_validate_wrappers.engine import Finding, ValidatedApplication, unsupported, wrap

__all__ = ["CHECKS", "Check", "Finding", "ValidatedApplication", "unsupported", "wrap"]
