"""Troth runs a privacy policy: it publishes the notice, does what it says to live data, and proves each sentence."""

__version__ = "0.1.0"
