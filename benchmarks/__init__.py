"""Measurements of speed: each prints a ratio."""
