"""How fast versions and engines answer, plotted."""
