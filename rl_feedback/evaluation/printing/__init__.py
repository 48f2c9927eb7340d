"""Prints what an evaluation found: a page, tables and a section of a model card, all from one JSON."""
