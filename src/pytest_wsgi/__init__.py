"""A conformance harness for WSGI (PEP 3333), as a pytest plugin."""

from __future__ import annotations
