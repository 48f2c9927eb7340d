"""The questions that readers answer: the library, an admin's own, and their versions."""
