"""What versions wrote of a collection's studies, measured against what their sources say of them."""
