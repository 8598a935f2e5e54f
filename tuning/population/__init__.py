"""Many models of one architecture, trained at once."""
