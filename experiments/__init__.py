"""Questions that were asked of the layers, with code, results and answers."""
