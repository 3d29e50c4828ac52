"""Floor 13: the command line."""
