"""Features times gates, computed from a context or from the features."""
