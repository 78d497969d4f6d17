"""E-mail addresses as others send them. Pure."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email


def is_address(text: str) -> bool:
    """Whether ``text`` is one complete e-mail address that can be written to, and nothing besides."""
    try:
        validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True
