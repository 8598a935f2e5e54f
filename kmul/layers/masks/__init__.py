"""Convolutions and dense layers times masks, which are given or learned."""
