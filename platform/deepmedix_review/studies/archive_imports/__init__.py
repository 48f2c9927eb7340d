"""Archives that are sent by the page or by a program, and unpacked and imported in the background."""
