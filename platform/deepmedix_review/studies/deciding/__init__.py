"""Decisions on held studies: a sheet of them by what is odd, many decided on at once, and taken back."""
