"""Frozen data sets: how signed readings become one, and what its page and its card tell of it."""
