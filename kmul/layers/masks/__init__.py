"""Convolutions of images times masks, which are given or learned."""
