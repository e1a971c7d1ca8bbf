"""``python -m incongruent`` is the command line."""

from incongruent.cli.commands import main

if __name__ == "__main__":
    main()
