"""The results of a study, as a page and figures."""
