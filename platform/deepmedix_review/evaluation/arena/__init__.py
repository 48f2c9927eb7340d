"""Report Arena: battles between what versions wrote, judged by language models and by experts."""
