"""How good a reasoning step is, learned from readers' ratings of steps."""
