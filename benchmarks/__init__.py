"""How fast vnet is, always against something else run in the same process.

Run them with ``python -m benchmarks``; README.md says how to read what they print.
"""
