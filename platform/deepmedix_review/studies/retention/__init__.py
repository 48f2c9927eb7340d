"""How long studies may be kept, and which fall due when. What is due is erased by the app `erasure`."""
