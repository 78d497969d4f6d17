"""GDPRbench."""
