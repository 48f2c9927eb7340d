"""How good a model is: on drawn films, by reports and answers against references, and in battles."""
