"""Floor 11: a topology built, run, captured and judged."""
