"""Requests that come in over published protocols: OpenDSR 2.0 from controllers, the Data Rights Protocol 1.0 from agents."""
