"""What learns: the networks, and what a name on the command line means."""
