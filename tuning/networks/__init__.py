"""The networks that learn, and their names on the command line."""
