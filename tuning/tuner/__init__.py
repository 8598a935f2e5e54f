"""KerasTuner searches whose trials train together."""
