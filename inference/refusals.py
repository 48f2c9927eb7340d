"""Says on the shell, in a sentence, why a command could not do what it was asked."""

from inference.engines import EngineError

# What a missing or unreadable file, a wrong value or a model that can't be loaded is told by.
REFUSALS = (ValueError, OSError, EngineError)
# As argparse ends where it can't read the command line.
EXIT_STATUS = 2


def sentence_of(error: Exception) -> str:
    """What is wrong; of what the system refuses, with the file's name and without its number.

    >>> sentence_of(FileNotFoundError(2, "No such file or directory", "films.jsonl"))
    'films.jsonl: No such file or directory'
    """
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)
