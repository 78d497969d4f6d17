"""Stops: the operator ends a use, or giving to a recipient, for everybody at once, in one row, until it is lifted."""
