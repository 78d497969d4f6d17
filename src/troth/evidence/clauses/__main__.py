"""Writes the page of clauses of the checkout it is run in."""

from __future__ import annotations

import sys
from pathlib import Path

from troth.evidence.clauses.page import page

sys.stdout.write(page(Path.cwd()))
