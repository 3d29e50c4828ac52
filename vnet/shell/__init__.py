"""Floor 13: the controller shell."""
