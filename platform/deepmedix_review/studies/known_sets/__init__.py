"""Data sets that others made, in the layouts in which they are published."""
