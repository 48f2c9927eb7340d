"""The small model that ships with the project: how it is built, taught to read phantoms, and measured."""
