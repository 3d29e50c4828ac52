"""Filters: u32 and matchall, with policers, as tc(8) reads and shows them."""
