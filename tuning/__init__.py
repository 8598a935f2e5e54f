"""Searching over learning rate and depth, many small models at once."""

from tuning.population import Population as Population
