"""How fast Troth is beside the bare work it stands in for: ratios, both sides in one run. ``docs/benchmarks.md`` explains."""
