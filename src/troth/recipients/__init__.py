"""The gate, the only door out, and what recipients are told afterwards."""

from troth.recipients.instructions import instruct

__all__ = ["instruct"]
