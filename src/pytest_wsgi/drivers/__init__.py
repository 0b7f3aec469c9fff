"""The drivers: each plays the other side of a WSGI boundary."""

from __future__ import annotations
