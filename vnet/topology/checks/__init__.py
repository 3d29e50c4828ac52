"""Whether names lead anywhere, and whether what is set up takes what it is told."""
