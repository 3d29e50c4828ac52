"""dig(1): one question, and everything that the answer says."""
