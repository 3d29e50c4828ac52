"""Floor 10: topology files, from text to a frozen model with every error named."""
