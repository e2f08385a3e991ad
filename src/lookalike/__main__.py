"""``python -m lookalike``."""

from __future__ import annotations

import sys

from lookalike.cli.main import main

sys.exit(main())
