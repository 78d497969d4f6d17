"""Witnesses outside: they keep checkpoints of the ledger, so that one that is written anew is found out."""

from troth.witnessing.actions import Asked, ask_all, ask_due, learn

__all__ = ["Asked", "ask_all", "ask_due", "learn"]
