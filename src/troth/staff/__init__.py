"""The operator's staff: who may enter the desk, in which roles, and the log of who did and from where."""
