"""``python -m autogpt_observe`` is the command line."""

from autogpt_observe.cli import main

main()
