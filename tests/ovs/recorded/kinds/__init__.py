"""The kinds of cases: a module each, with a function ``draw`` that writes one case."""
