"""Handwritten digits placed on a canvas with distractors."""

from tasks.placed_digits.loading import load as load
from tasks.placed_digits.settings import LABELS as LABELS
from tasks.placed_digits.settings import PlacingSettings as PlacingSettings
