"""Groups: buckets of actions that flows hand packets to."""
