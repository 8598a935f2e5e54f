"""Networks on problems: searched, trained, tested, and kept in tables."""
