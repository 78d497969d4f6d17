"""Figures: the statistics that the policy declares, counted in groups that single nobody out."""
