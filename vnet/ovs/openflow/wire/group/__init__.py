"""Groups: changed, described, and what they have seen."""
