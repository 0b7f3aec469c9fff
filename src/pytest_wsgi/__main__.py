"""`python -m pytest_wsgi`, see `commands`."""

from __future__ import annotations

import sys

from pytest_wsgi.commands import main

sys.exit(main())
