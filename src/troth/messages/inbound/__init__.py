"""Mail that comes in at the operator's address: by SMTP or LMTP, from an IMAP mailbox or from a Maildir.

Whatever way a message comes, ``parse.read`` makes an ``Arrived`` of it and ``take.take`` hands that to the caller's ``Take``
once, in one transaction with the mark that it came.
"""

from troth.messages.inbound.parse import Arrived, Unreadable, read
from troth.messages.inbound.poll import poll
from troth.messages.inbound.receive import listening
from troth.messages.inbound.take import Take, forget_the_past, take
from troth.messages.inbound.wanted import wanted

__all__ = ["Arrived", "Take", "Unreadable", "forget_the_past", "listening", "poll", "read", "take", "wanted"]
