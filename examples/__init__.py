"""Programs that show what is here."""
