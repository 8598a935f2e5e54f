"""Attention, gates and blocks of image networks, made of products."""
