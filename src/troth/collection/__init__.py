"""Data coming in, for a shop's own code: ``collect`` a ``Submission`` at a point of the policy, or show its ``form``."""

from troth.collection.actions import Receipt, collect
from troth.collection.forms import form
from troth.collection.rules import Submission

__all__ = ["Receipt", "Submission", "collect", "form"]
