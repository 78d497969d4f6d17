"""What the stores hold against what Troth wrote into them: rows by their marks, and tables by their sums."""

from __future__ import annotations

from troth.reconcile.findings import Finding
from troth.reconcile.reconcile import reconcile

__all__ = ["Finding", "reconcile"]
