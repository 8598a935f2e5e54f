"""Handwritten digits placed on a canvas with distractors."""

from tasks.placed_digits.loading import load as load
from tasks.placed_digits.placing import LABELS as LABELS
from tasks.placed_digits.placing import PlacingSettings as PlacingSettings
