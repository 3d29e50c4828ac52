"""Floor 0: what every other room may lean on, and what leans on nothing.

Units, identifiers, errors, drop reasons and seeded chance. Nothing here knows
what a frame is.
"""
