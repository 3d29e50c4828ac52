"""The spelling of topology files: which keys there are, where, and of what type."""
