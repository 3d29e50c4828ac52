"""Templates, defaults and short forms of a file become machines, switches and cards."""
